import type { Terminal } from './terminal.ts';

/** Work that SIGINT and SIGTERM ask to end, which it does by itself when it has cleaned up. Further signals change nothing, since `timeout` sends each of them twice. */
export async function interruptible<Result>(
  { onSignal }: Pick<Terminal, 'onSignal'>,
  work: (interruption: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interruption = new AbortController();
  const offs = (['SIGINT', 'SIGTERM'] as const).map((signal) => onSignal(signal, () => interruption.abort()));
  try {
    return await work(interruption.signal);
  } finally {
    for (const off of offs) off();
  }
}
