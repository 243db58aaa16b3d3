import { hash } from 'node:crypto';
import { inspectPublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { ReadStatement } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import { digest, nameOf } from './algorithms.ts';
import { attestationKeyCertificateOf } from './attestation-key-certificate.ts';
import { parseAttest } from './attest.ts';
import type { TpmClaims } from './claims.ts';
import { requireStrongKey } from './key-strength.ts';
import { requireAttributes } from './object-attributes.ts';
import { parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import type { SignedAttest } from './signed-attest.ts';

/** What TPM2_Certify says of the key with this TPMT_PUBLIC (WebAuthn Level 3 section 8.3, verification procedure), and its qualifying data, which hold the nonce. */
export function examineCertification(
  attest: SignedAttest,
  publicArea: Uint8Array,
  statement: TpmClaims['statement'],
): { readonly content: ReadStatement['content']; readonly extraData: Uint8Array } {
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
    content: {
      spki: hash('sha256', spki),
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
    },
    extraData,
  };
}

/** Whether it is the digest of the nonce by the signature's own hash. */
export function isDigestOf(nonce: Uint8Array, { hash }: SignedAttest, extraData: Uint8Array): boolean {
  return sameOctets(extraData, digest(hash, nonce));
}
