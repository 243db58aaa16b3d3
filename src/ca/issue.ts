import { SallyportError } from '#errors';
import type { KeyAlgorithm } from '#keys';
import { assembleSigned, type Certificate, parseCertificate } from '#x509';
import type { Issuer } from './issuer.ts';
import { type Mandate, redeemMandate } from './mandate.ts';
import { verifySigned } from './own-signature.ts';

/**
 * Whether a signature is verified before it leaves.
 *
 * RSA: one faulty CRT signature factors the modulus (Boneh, DeMillo, Lipton), and verifying costs a tenth of signing.
 * ML-DSA: a fault in the rejection loop can leak the key, and verifying costs a quarter of signing.
 * ECDSA: the nonce is random, so a fault leaks nothing by itself, while verifying costs three times the signing.
 * Ed25519: a fault leaks the key where the same bytes are signed twice, right and wrong; a mandate is redeemed once.
 * For those two the trial signature at load has shown that the key is the certificate's.
 */
const verifiesOwnSignature = {
  'ec-p256': false,
  'ec-p384': false,
  'rsa-2048': true,
  'rsa-3072': true,
  'rsa-4096': true,
  ed25519: false,
  'ml-dsa-44': true,
  'ml-dsa-65': true,
  'ml-dsa-87': true,
} as const satisfies Record<KeyAlgorithm, boolean>;

/**
 * The only way to a signature under a certificate for a device.
 * @throws SallyportError 'mandate' where the mandate was redeemed before or is for another issuer
 */
export async function issue(issuer: Issuer, mandate: Mandate): Promise<Certificate> {
  const tbs = redeemMandate(mandate, issuer);
  const { key } = issuer;
  const signature = await key.sign(tbs);
  if (verifiesOwnSignature[key.algorithm] && !verifySigned(key, tbs, signature)) {
    throw new SallyportError('internal', `issuer ${issuer.name} made a wrong signature; it was thrown away`);
  }
  return parseCertificate(assembleSigned(tbs, key.algorithm, signature));
}
