import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Environment } from '#config';
import { SallyportError } from '#errors';
import { exitCodes } from '../exit-code.ts';
import type { LogReport } from './verify-authority-log.ts';

const launcher = fileURLToPath(new URL('../../../sallyport', import.meta.url));

/** Of findings: what a log needs to say that it cannot be trusted is less. */
const maximumBytes = 64 * 1024 * 1024;

/**
 * `log verify` in a process of its own, which gives way to every other: what it takes, the serving process does not miss.
 *
 * @throws SallyportError 'log' where the log cannot even be read, 'store' where it came to no end
 */
export async function replayLog(
  configurationFile: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<LogReport> {
  const words = ['log', 'verify', '--json', '--config', configurationFile];
  const running = promisify(execFile)(launcher, words, {
    env: environment,
    maxBuffer: maximumBytes,
    signal,
  });
  // A process that is gone already needs no priority.
  if (running.child.pid !== undefined) giveWay(running.child.pid);
  try {
    return JSON.parse((await running).stdout) as LogReport;
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === exitCodes.unverified) {
      if (stdout !== undefined && stdout !== '') return JSON.parse(stdout) as LogReport;
      throw new SallyportError('log', stderr?.trim() ?? 'the log cannot be read', { cause: error });
    }
    throw new SallyportError('store', `the log could not be asked again: ${stderr?.trim() || String(code)}`, {
      cause: error,
    });
  }
}

function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}
