import type { AdminStore } from '#admin';
import type { Clock } from '#enrollment';
import { isSallyportError } from '#errors';
import { eventEntry } from './event-entry.ts';

const batch = 100;

/** Ends requests that nobody decided within the lifetime of approvals, and with them the secrets reserved for them. */
export async function endOldRequests(
  lifetimeSeconds: number,
  ports: { store: AdminStore; clock: Clock; random: (n: number) => Uint8Array },
): Promise<void> {
  const { store, clock, random } = ports;
  const now = clock.now();
  for (;;) {
    // The oldest come first, and each that ends makes room for the next.
    const pending = await store.requests({ state: 'pending', limit: batch });
    const old = pending.filter(({ firstSeen }) => firstSeen + lifetimeSeconds * 1000 <= now);
    for (const { id, deviceId, template } of old) {
      const entry = eventEntry('request.ended', { request: id, device: deviceId, template }, now, random);
      await store.denyRequest({ id, by: 'authority', now, entry }).catch((error: unknown) => {
        // Decided meanwhile.
        if (!isSallyportError(error, 'conflict')) throw error;
      });
    }
    if (old.length < batch) return;
  }
}
