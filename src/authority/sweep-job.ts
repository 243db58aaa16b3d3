import type { AdminStore } from '#admin';
import type { Clock } from '#enrollment';
import { isSallyportError } from '#errors';
import { eventEntry } from './event-entry.ts';

const batch = 100;

/**
 * Closes intents whose lease has ended. The key may have signed, and nobody received the certificate by us: its serial
 * is revoked. Returns the issuers whose CRL must follow.
 */
export async function sweepIntents(ports: {
  store: AdminStore;
  clock: Clock;
  random: (n: number) => Uint8Array;
}): Promise<ReadonlySet<string>> {
  const { store, clock, random } = ports;
  const now = clock.now();
  const issuers = new Set<string>();
  for (const intent of await store.expiredIntents(now, batch)) {
    try {
      await store.abandonIntent({
        id: intent.id,
        now,
        entry: eventEntry('intent.abandoned', { ...intent }, now, random),
      });
      issuers.add(intent.issuer);
    } catch (error) {
      // Closed meanwhile: its certificate is stored and delivered.
      if (!isSallyportError(error, 'conflict')) throw error;
    }
  }
  return issuers;
}
