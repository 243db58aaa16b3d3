import type { SigningKey } from '#keys';
import { signatureAlgorithmIdentifier, verifySignature } from '#x509';

/** Whether a signature that a key has just made verifies under its public key. */
export function verifySigned(
  key: Pick<SigningKey, 'algorithm' | 'spki'>,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifySignature(signatureAlgorithmIdentifier(key.algorithm), key.spki, data, signature);
}
