import { setTimeout as sleep } from 'node:timers/promises';
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
): Promise<readonly Der[]> {
  const end = now() + waitSeconds * 1000;
  for (;;) {
    const outcome = await ask();
    if ('certificates' in outcome) return outcome.certificates;
    const left = (end - now()) / 1000;
    if (left <= 0) {
      throw new SallyportError('store', 'the request waits for approval; the same command sends it again');
    }
    const seconds = Math.min(Math.max(outcome.retryAfterSeconds, 1), left);
    note(seconds);
    await sleep(seconds * 1000);
  }
}
