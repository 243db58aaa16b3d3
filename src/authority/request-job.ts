import type { AdminStore, StoredRequest } from '#admin';
import type { Clock } from '#enrollment';
import { isSallyportError } from '#errors';
import { eventEntry } from './event-entry.ts';

const batch = 100;

interface Ports {
  readonly store: AdminStore;
  readonly clock: Clock;
  readonly random: (n: number) => Uint8Array;
}

/**
 * Ends requests that nobody decided within the lifetime of approvals, and those that were approved and did not come for their certificate
 * within it; with them the secrets reserved for them, and what polls of them would need.
 */
export async function endOldRequests(lifetimeSeconds: number, ports: Ports): Promise<void> {
  const before = ports.clock.now() - lifetimeSeconds * 1000;
  await endWhere('pending', ({ firstSeen }) => firstSeen <= before, ports);
  await ports.store.forgetPolled(before);
  await endWhere('approved', ({ decidedAt }) => decidedAt !== null && decidedAt <= before, ports);
}

async function endWhere(
  state: 'pending' | 'approved',
  isOld: (request: StoredRequest) => boolean,
  { store, clock, random }: Ports,
): Promise<void> {
  const now = clock.now();
  let after: string | undefined;
  for (;;) {
    // In the order in which they were first seen.
    const page = await store.requests({ state, limit: batch, ...(after === undefined ? {} : { after }) });
    for (const { id, deviceId, template } of page.filter(isOld)) {
      const entry = eventEntry('request.ended', { request: id, device: deviceId, template }, now, random);
      await store.endRequest({ id, now, entry }).catch((error: unknown) => {
        // Decided or collected meanwhile.
        if (!isSallyportError(error, 'conflict')) throw error;
      });
    }
    if (page.length < batch) return;
    after = page.at(-1)!.id;
  }
}
