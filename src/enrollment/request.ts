import type { SallyportError } from '#errors';
import type { Objection } from '#policy';
import type { Der } from '#x509';
import type { SourceObservation } from './observations.ts';

/** A request as its protocol parsed it: what is asked, by whom, from where. */
export interface EnrollmentRequest {
  readonly admission: Admission;
  readonly credential: Credential | null;
  /** PKCS#10, DER. */
  readonly certificationRequest: Der;
}

/** Who asks. A protocol hands over the one credential that counts for its operation. */
export type Credential =
  | { readonly kind: 'secret'; readonly userName: string; readonly secret: string }
  /** A client certificate, DER: the TLS handshake proved its key. Whether it is worth anything is not decided yet. */
  | { readonly kind: 'certificate'; readonly certificate: Der };

/** A request that passed the gate: `admit` was judged and allowed. */
export interface Admission {
  /** The request's id and the client's support code. */
  readonly id: string;
  readonly source: SourceObservation;
  readonly sourceTat: number | null;
}

/** What the protocol renders. `id` is the support code. */
export type Answer =
  | { readonly outcome: 'issued' | 'redelivered'; readonly id: string; readonly certificate: Der }
  | { readonly outcome: 'held'; readonly id: string; readonly retryAfterSeconds: number }
  | {
      readonly outcome: 'refused';
      readonly id: string;
      readonly objections: readonly Objection[];
      readonly retryAfterSeconds: number | null;
    }
  | { readonly outcome: 'malformed'; readonly id: string; readonly error: SallyportError }
  /** A fault of ours, or the store cannot be written now: nothing was issued to this client. */
  | { readonly outcome: 'failed'; readonly id: string; readonly retryAfterSeconds: number };
