import { hash } from 'node:crypto';
import { inspectPublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { Statement } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import { digest, nameOf } from './algorithms.ts';
import { attestationKeyCertificateOf } from './attestation-key-certificate.ts';
import { parseAttest } from './attest.ts';
import type { TpmClaims } from './claims.ts';
import { requireStrongKey } from './key-strength.ts';
import { requireAttributes } from './object-attributes.ts';
import { parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import type { SignedAttest } from './signed-attest.ts';

/**
 * What TPM2_Certify says of the key with this TPMT_PUBLIC (WebAuthn Level 3 section 8.3, verification procedure). `isFresh`: whether this is the
 * qualifying data that holds our nonce.
 */
export function examineCertification(
  attest: SignedAttest,
  publicArea: Uint8Array,
  statement: TpmClaims['statement'],
  isFresh: ((extraData: Uint8Array) => boolean) | null,
): Statement {
  const { format, device, identities } = attestationKeyCertificateOf(attest.certificate);
  const { extraData, name, firmwareVersion } = parseAttest(attest.octets, 'certify');
  const { nameAlg, attributes, authPolicy, key } = parsePublic(publicArea);
  if (!sameOctets(name, nameOf(nameAlg, publicArea))) {
    throw new EvidenceRefused('tpm-name', 'the attestation is of another key than the public area is');
  }
  // Made in this TPM, never out of it, and signs what it is given.
  requireAttributes('tpm', attributes, {
    set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'],
    clear: ['restricted'],
  });
  const spki = subjectPublicKeyInfoOf(key);
  requireStrongKey(inspectPublicKey(spki), 'tpm-key');
  return {
    spki: hash('sha256', spki),
    fresh: isFresh === null ? null : isFresh(extraData),
    identities,
    claims: {
      format,
      statement,
      hash: attest.hash,
      signature: attest.form,
      attributes,
      authPolicy: authPolicy?.toHex() ?? null,
      device,
      firmwareVersion,
    },
  };
}

/** Whether it is the digest of the nonce by the signature's own hash. */
export function isDigestOf(nonce: Uint8Array, { hash }: SignedAttest, extraData: Uint8Array): boolean {
  return sameOctets(extraData, digest(hash, nonce));
}
