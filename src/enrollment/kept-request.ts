import { type Blob, blobOf, saltedHash, saltLength } from '#audit';
import { type CertificationRequest, withoutSecrets } from '#x509';
import type { RequestEntry } from './entry.ts';

/** What an entry says of a certification request that is kept beside the log. Digests in lower-case hex. */
export interface KeptRequest {
  /** Address of the request as it is kept: without challengePassword and what else proves something by being known. */
  readonly blob: string;
  /** SHA-256(salt || request), of the request as it came, with the same salt: who has it can show that it was this one. null: it is kept as it came. */
  readonly original: string | null;
}

export interface Keeping {
  /** How its entry names it. */
  readonly naming: Pick<RequestEntry, 'certificationRequest' | 'evidence'>;
  readonly blob: Blob;
}

export function keepRequest(request: CertificationRequest, random: (n: number) => Uint8Array): Keeping {
  const salt = random(saltLength);
  const bytes = withoutSecrets(request);
  const blob = blobOf(salt, bytes);
  const original = bytes === request.der ? null : hex(saltedHash(salt, request.der));
  return { naming: { certificationRequest: { blob: hex(blob.address), original } }, blob };
}

/** Of what comes without a certification request. */
export function keepEvidence(message: Uint8Array, random: (n: number) => Uint8Array): Keeping {
  const blob = blobOf(random(saltLength), message);
  return { naming: { certificationRequest: null, evidence: { blob: hex(blob.address) } }, blob };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
