import { statementTypes } from '#evidence';
import {
  assembleSigned,
  type Der,
  der,
  encodeCertificationRequestInfo,
  encodeSubjectAltName,
  extensionOids,
  type GeneralName,
  type Name,
  oids,
} from '#x509';
import type { Certified, Tpm, TpmKey } from './tpm.ts';

export interface AttestationKey {
  /** Handle or file of tpm2-tools. */
  readonly object: string;
  /** Its own first, then those of the CAs above it. */
  readonly certificates: readonly Der[];
}

export interface Asked {
  readonly subject: Name;
  readonly subjectAltName: readonly GeneralName[];
  readonly challengePassword: string | null;
}

/** PKCS #10, signed by the key, with evidence of it: an AttestationBundle (draft-ietf-lamps-csr-attestation) whose attestation holds the nonce. */
export async function attestedRequest(
  tpm: Tpm,
  key: TpmKey,
  { object, certificates }: AttestationKey,
  nonce: Uint8Array,
  { subject, subjectAltName, challengePassword }: Asked,
): Promise<Der> {
  const bundle = attestationBundle(key, await tpm.certify(key, object, nonce), certificates);
  const value = subjectAltName.length === 0 ? null : encodeSubjectAltName(subjectAltName);
  const info = encodeCertificationRequestInfo({
    subject,
    spki: key.spki,
    attributes: [{ oid: oids.attestation, values: [bundle] }],
    extensions: value === null ? [] : [{ oid: extensionOids.subjectAltName, critical: false, value }],
    ...(challengePassword === null ? {} : { challengePassword }),
  });
  return assembleSigned(info, key.algorithm, await tpm.sign(key, info));
}

/** tcg-attest-tpm-certify. */
function attestationBundle(
  { blobs }: TpmKey,
  { attest, signature }: Certified,
  certificates: readonly Der[],
): Der {
  // Of TPM2B_PUBLIC without its length.
  const publicArea = blobs.publicArea.subarray(2);
  const statement = der.sequence(...[attest, signature, publicArea].map(der.octetString));
  return der.sequence(
    der.sequence(der.sequence(der.oid(statementTypes.tpmCertify), statement)),
    der.sequence(...certificates),
  );
}
