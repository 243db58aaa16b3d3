import { SallyportError } from '#errors';
import { generateMachineToken, hashMachineToken } from './machine.ts';
import type { NewToken } from './machine-store.ts';
import type { AdminPorts } from './ports.ts';

const day = 86_400;
const usualLifetimeSeconds = 90 * day;
const longestLifetimeSeconds = 366 * day;

export interface MadeToken {
  /** In the clear this once: it is in the answer, and only its hash is stored. */
  readonly token: string;
  readonly stored: NewToken;
}

/** @param lifetimeSeconds null: 90 days */
export function makeToken(
  { clock, random }: Pick<AdminPorts, 'clock' | 'random'>,
  lifetimeSeconds: number | null,
): MadeToken {
  const seconds = lifetimeSeconds ?? usualLifetimeSeconds;
  if (seconds > longestLifetimeSeconds) {
    throw new SallyportError('usage', `a machine's token lives 366 days at most, not ${seconds} seconds`);
  }
  const token = generateMachineToken(random);
  return { token, stored: { hash: hashMachineToken(token), expiresAt: clock.now() + seconds * 1000 } };
}
