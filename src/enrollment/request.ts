import type { SallyportError } from '#errors';
import type { GeneratedKey } from '#keys';
import type { Objection } from '#policy';
import type { Der } from '#x509';
import type { RequestEntry } from './entry.ts';
import type { OfferedEvidence } from './offered-evidence.ts';
import type { SourceObservation } from './observations.ts';

/** A request as its protocol parsed it: what is asked, by whom, from where. */
export interface EnrollmentRequest {
  readonly admission: Admission;
  readonly credential: Credential | null;
  /** PKCS#10, DER. */
  readonly certificationRequest: Der | ActivatedKey;
  /** Its signature was verified when it first came, and does not verify without what is kept nowhere. Absent: it is verified now. */
  readonly possessed?: true;
  /** What came before the request, for its order. Absent: what the request itself holds. */
  readonly evidence?: OfferedEvidence;
  /** The authority is to make the key (RFC 7030 section 4.4). */
  readonly keygen: boolean;
  /** As the client wrote it, for the workflows of the template (RFC 8894 section 3.2.1.1). Absent: its protocol has none. */
  readonly transactionID?: string;
  /** null: nothing in it binds it to its connection, and its challengePassword is a secret. */
  readonly channelBindings: (() => ChannelBindings) | null;
}

/** An attestation key, which signs nothing that comes from outside its TPM, and so no request. */
export interface ActivatedKey {
  /** The device whose endorsement key it was proven with. */
  readonly deviceId: string;
  /** SubjectPublicKeyInfo. */
  readonly spki: Der;
  /** What was proven, to be kept beside the log; null: it is there already. */
  readonly message: Uint8Array | null;
}

/** Who asks. A protocol hands over the one credential that counts for its operation. */
export type Credential =
  | { readonly kind: 'secret'; readonly userName: string; readonly secret: string }
  /** A secret that came before, with the request that is polled for. */
  | { readonly kind: 'reserved'; readonly secretMac: Uint8Array }
  /** An account, whose key signed the message, and its order. `predecessor`: the newest current certificate that it has for the same names and template. */
  | {
      readonly kind: 'order';
      readonly account: string;
      readonly order: string;
      readonly predecessor: Der | null;
    }
  /** A challenge that held when the request came that is polled for: it is kept nowhere. */
  | { readonly kind: 'polled'; readonly challenge: 'static' | 'workflow' }
  /**
   * A client certificate with what was sent beside it, DER: the TLS handshake or the message's signature proved its key. Whether it is worth
   * anything is not decided yet.
   */
  | { readonly kind: 'certificate'; readonly certificate: Der; readonly sent: readonly Der[] };

/** What binds a request to its TLS connection; null where the connection has none of this kind. */
export interface ChannelBindings {
  /** RFC 5929 section 3, on TLS 1.2. */
  readonly tlsUnique: Uint8Array | null;
  /** RFC 9266, on TLS 1.3. */
  readonly tlsExporter: Uint8Array | null;
  /** Client's and server's Finished of a TLS 1.3 connection: some clients send one as tls-unique there, where it binds nothing. */
  readonly finished: readonly Uint8Array[];
}

/** A request that passed the gate: `admit` was judged and allowed. */
export interface Admission {
  /** The request's id and the client's support code. */
  readonly id: string;
  readonly source: SourceObservation;
  readonly sourceTat: number | null;
}

/** What the protocol renders. `id` is the support code. */
export type Answer =
  | {
      readonly outcome: 'issued' | 'redelivered';
      readonly id: string;
      readonly certificate: Der;
      /** As its entry names it. */
      readonly summary: NonNullable<RequestEntry['certificate']>;
      /** Nobody has had it yet, and it waits for a workflow's word. */
      readonly undelivered: boolean;
      /** Where the authority made the key. Delivered once, and kept nowhere. */
      readonly madeKey: GeneratedKey | null;
    }
  | { readonly outcome: 'held'; readonly id: string; readonly retryAfterSeconds: number }
  | {
      readonly outcome: 'refused';
      readonly id: string;
      readonly objections: readonly Objection[];
      /** Until every limit would let it pass, and otherwise as good as any other time. */
      readonly retryAfterSeconds: number;
      /** Nothing stood against it for good but that workflows or a verifier of evidence could not be asked, or that our list of revoked keys is too old: the same request may be answered later. */
      readonly isPassing: boolean;
    }
  | { readonly outcome: 'malformed'; readonly id: string; readonly error: SallyportError }
  /** A fault of ours, or the store cannot be written now: nothing was issued to this client. */
  | { readonly outcome: 'failed'; readonly id: string; readonly retryAfterSeconds: number };
