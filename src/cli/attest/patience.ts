import { SallyportError } from '#errors';
import type { Der } from '#x509';

/** What a server says to a request that it does not refuse. */
export type Outcome = { readonly certificates: readonly Der[] } | { readonly retryAfterSeconds: number };

/** Sends the same request until there are certificates. Throws 'store' where they do not come in time. */
export async function patiently(
  waitSeconds: number,
  now: () => number,
  ask: () => Promise<Outcome>,
  note: (seconds: number) => void,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<readonly Der[]> {
  const end = now() + waitSeconds * 1000;
  // Timers end a little early by another clock: that the time is up is known by what was waited for.
  for (let isLast = false; ;) {
    const outcome = await ask();
    if ('certificates' in outcome) return outcome.certificates;
    const left = (end - now()) / 1000;
    if (isLast || left <= 0) {
      throw new SallyportError('store', 'the request waits for approval; the same command sends it again');
    }
    const seconds = Math.min(Math.max(outcome.retryAfterSeconds, 1), left);
    isLast = seconds === left;
    note(seconds);
    await sleep(seconds * 1000);
  }
}
