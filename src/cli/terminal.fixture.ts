import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { runCommandLine } from './command-line.ts';
import type { Terminal } from './terminal.ts';

/* The command line in this process, in a temporary folder, with what it prints kept. */

export interface Desk {
  readonly folder: string;
  readonly signals: EventEmitter;
  /** The answer to whatever is asked; null: nobody is there. */
  answer: string | null;
  outIsTerminal: boolean;
  environment: Record<string, string>;
  /** What is not text comes as latin1. */
  run(...words: string[]): Promise<{ code: number; out: string; err: string }>;
}

export async function openDesk(t: TestContext): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const signals = new EventEmitter();
  const desk: Desk = {
    folder,
    signals,
    answer: null,
    outIsTerminal: false,
    environment: {},
    async run(...words) {
      let [out, err] = ['', ''];
      const { answer } = desk;
      const terminal: Terminal = {
        environment: desk.environment,
        folder,
        now: () => Date.now(),
        random: (n) => randomBytes(n),
        out: (text) => void (out += text),
        outBytes: (bytes) => void (out += Buffer.from(bytes).toString('latin1')),
        err: (text) => void (err += text),
        outIsTerminal: desk.outIsTerminal,
        readInput: async () => Buffer.from(''),
        ask: answer === null ? null : async () => answer,
        onSignal(signal, listener) {
          signals.on(signal, listener);
          return () => signals.off(signal, listener);
        },
      };
      const code = await runCommandLine(words, terminal);
      return { code, out, err };
    },
  };
  return desk;
}
