import type { RateLimit } from '#limits';
import type { Observations } from './observations.ts';
import type { References } from './references.ts';

/** One question to a verifier outside. */
export interface VerifierSpending {
  readonly deviceId: string;
  /** Who asks for the device: whoever has another credential of it has a limit of his own. */
  readonly credential: string;
  readonly limit: RateLimit;
  readonly now: number;
}

/** As references of before have none. */
export function verifierLimit({ limits }: Pick<References, 'limits'>): RateLimit {
  return limits.verifier ?? limits.device;
}

/** Of a request whose nonce was given out for it. */
export function credentialOf({ secret, presenter }: Pick<Observations, 'secret' | 'presenter'>): string {
  if (secret !== null) return `secret ${secret.id}`;
  return presenter === null ? '' : `certificate ${presenter.sha256}`;
}
