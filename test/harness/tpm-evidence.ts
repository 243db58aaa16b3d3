import { createHash } from 'node:crypto';
import { encode } from 'cborg';
import { statementTypes } from '#evidence';
import { type Der, der, type GeneralName } from '#x509';
import { makeKey } from './csr.ts';
import type { TestCa } from './pki.ts';
import type { SoftwareTpm, TpmKey } from './software-tpm.ts';

/** What an attestation CA knows of a software TPM. */
const softwareTpmName: GeneralName = {
  kind: 'directoryName',
  value: [
    [
      { type: '2.23.133.2.1', value: 'id:00001014', encoding: 'utf8' },
      { type: '2.23.133.2.2', value: 'swtpm', encoding: 'utf8' },
      { type: '2.23.133.2.3', value: 'id:20191023', encoding: 'utf8' },
    ],
  ],
};

/** The certificate of an attestation key, with its device in a PermanentIdentifier (RFC 4043), or in none. */
export function certifyAttestationKey(ca: TestCa, { spki }: TpmKey, device: string | null): Der {
  const identifier = der.sequence(der.utf8String(device ?? ''));
  const permanentIdentifier: GeneralName = {
    kind: 'otherName',
    type: '1.3.6.1.5.5.7.8.3',
    value: identifier.toBase64(),
  };
  const { certificate } = ca.endEntity({
    subject: [],
    // Its private key is in the TPM.
    key: { ...makeKey(), spki },
    subjectAltName: device === null ? [softwareTpmName] : [softwareTpmName, permanentIdentifier],
    extendedKeyUsage: ['tcgAttestationIdentityKey'],
  });
  return certificate;
}

export interface Attesting {
  readonly tpm: SoftwareTpm;
  readonly attestationKey: TpmKey;
  /** That of the attestation key first. */
  readonly certificates: readonly Der[];
}

/** An attestation object for device-attest-01, as step's client makes it. */
export async function attestationObject(
  { tpm, attestationKey, certificates }: Attesting,
  key: TpmKey,
  keyAuthorization: Uint8Array,
): Promise<Uint8Array> {
  const extraData = createHash('sha256').update(keyAuthorization).digest();
  const { attest, signature } = await tpm.certify(key, attestationKey, extraData);
  const isRsa = attestationKey.publicArea[1] === 0x01;
  return encode({
    fmt: 'tpm',
    attStmt: {
      ver: '2.0',
      alg: isRsa ? -257 : -7,
      x5c: certificates,
      sig: signature,
      certInfo: attest,
      pubArea: key.publicArea,
    },
  });
}

/** The value of the attribute id-aa-attestation: tcg-attest-tpm-certify, with the nonce as its qualifying data. */
export async function attestationBundle(
  { tpm, attestationKey, certificates }: Attesting,
  key: TpmKey,
  nonce: Uint8Array,
): Promise<Der> {
  const { attest, signature } = await tpm.certify(key, attestationKey, nonce);
  const statement = der.sequence(...[attest, signature, key.publicArea].map((each) => der.octetString(each)));
  return der.sequence(
    der.sequence(der.sequence(der.oid(statementTypes.tpmCertify), statement)),
    der.sequence(...certificates),
  );
}
