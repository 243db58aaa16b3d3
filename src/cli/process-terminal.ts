import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** The process's own terminal, clock and randomness. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  stdout.on('error', endWithReader);
  return {
    environment: process.env,
    folder: process.cwd(),
    now: () => Date.now(),
    random: (n) => randomBytes(n),
    out: (text) => stdout.write(text),
    outBytes: (bytes) => stdout.write(bytes),
    err: (text) => stderr.write(text),
    outIsTerminal: stdout.isTTY,
    readInput: async () => Buffer.concat(await stdin.toArray()),
    ask: stdin.isTTY && stderr.isTTY ? ask : null,
    onSignal(signal, listener) {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
  };
}

/** `sallyport log tail | head`: nobody reads on, so there is nothing left to do. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
