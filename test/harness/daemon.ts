import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Cleanup } from './authority.ts';

interface DaemonSettings {
  readonly cwd?: string;
  readonly environment?: Record<string, string>;
}

/** A program of others that runs until it is ended. */
export interface Daemon {
  /** All that it has printed so far. */
  readonly said: string;
  /** Waits until this holds; throws with what the program said where it ended before, or where 30 s were not enough. An error counts as `not yet`. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  /** `gently` first, SIGKILL after 5 s. */
  stop(gently?: NodeJS.Signals): Promise<void>;
}

/** Started, and ended with what `cleanup` ends. */
export function runDaemon(
  cleanup: Cleanup,
  program: string,
  words: readonly string[],
  { cwd, environment = {} }: DaemonSettings = {},
): Daemon {
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
  }
  // A program that cannot be started says so here, and has no exit.
  child.on('error', (error) => {
    said += error.message;
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

  async function stop(gently: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(gently);
    const late = setTimeout(5000, undefined, { ref: false }).then(() => child.kill('SIGKILL'));
    await Promise.race([ended, late.then(() => ended)]);
  }
  cleanup.after(() => stop());

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = AbortSignal.timeout(30_000);
    while (!hasEnded() && !deadline.aborted) {
      if (await holds().catch(() => false)) return;
      await setTimeout(50);
    }
    throw new Error(`${program} ${hasEnded() ? 'ended' : 'took 30 s and more'} before ${what}:\n${said}`);
  }

  return {
    get said() {
      return said;
    },
    until,
    stop,
  };
}
