import type { ExternalEvidence, VerifierAnswer } from '#evidence';
import type { Der } from '#x509';
import type { DeviceObservation } from './observations.ts';

/** A system outside that reads evidence which only its vendor's service can read. */
export interface Verifier {
  /** What evidence calls itself that it reads. It is asked about nothing else. */
  readonly formats: readonly string[];
  /** Asked about a known device alone, that may have what it asks for. Never rejects: what cannot be had of it is `unavailable`. */
  verify(question: VerifierQuestion): Promise<VerifierAnswer>;
}

export interface VerifierQuestion {
  /** Support code of the request. */
  readonly id: string;
  readonly template: string;
  readonly evidence: ExternalEvidence;
  /** What the evidence must hold. */
  readonly nonce: Uint8Array;
  /** SubjectPublicKeyInfo that is to be certified; null: its request comes later. */
  readonly key: Der | null;
  readonly device: Pick<DeviceObservation, 'id' | 'serialNumber' | 'identifiers'>;
}
