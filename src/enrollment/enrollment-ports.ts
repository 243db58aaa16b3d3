import type { Authority } from './authority.ts';
import type { Clock } from './clock.ts';
import type { EnrollmentStore } from './store.ts';

export interface EnrollmentPorts {
  /** What is in force now. */
  readonly authority: () => Authority;
  readonly store: EnrollmentStore;
  readonly clock: Clock;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
  /** Called after a certificate was revoked here, so that the issuer's next CRL comes soon. Never throws. */
  readonly revoked: (issuer: string) => void;
  /** Faults of ours, for the operator's eyes: never a client's. */
  readonly report: (fault: { id: string; error: unknown }) => void;
}
