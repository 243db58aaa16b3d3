import { encode } from 'cborg';
import { statementTypes } from '#evidence';
import { der, type Extension, oids, type RequestAttribute } from '#x509';
import type { ClientKey } from './csr.ts';
import { type Certified, hardwareModuleName, type TestCa } from './pki.ts';
import { permanentIdentifier, PlayedTpm, tpmName } from './played-tpm.ts';

/** What of a challenge evidence is to hold (draft-ietf-acme-device-attest section 5). */
export interface Held {
  readonly token: string;
  readonly keyAuthorization: string;
}

/** A device's hardware, played by the octets that real one sends: it vouches for keys as made in it. */
export interface PlayedHardware {
  /** An attestation object, the answer to a challenge of ACME. */
  object(held: Held, key: ClientKey): Uint8Array;
  /** The attribute of a request of EST. */
  attribute(nonce: Uint8Array, key: ClientKey): RequestAttribute;
}

/** A format and its statement, as one goes into an attestation object. */
export interface Statement {
  readonly fmt: string;
  readonly attStmt: Readonly<Record<string, unknown>>;
}

/** What a statement is to hold: what the account signs for, and what whoever signs before the account is known has. By EST both are the nonce. */
export interface Nonces {
  readonly toBeSigned: Uint8Array;
  readonly token: Uint8Array;
}

/** Of vendors whose evidence is an attestation object also where a request of EST has it. */
export function hardwareBy(attest: (nonces: Nonces, key: ClientKey) => Statement): PlayedHardware {
  const objectOf = (nonces: Nonces, key: ClientKey) => encode(attest(nonces, key));
  return {
    object({ token, keyAuthorization }, key) {
      return objectOf({ toBeSigned: Buffer.from(keyAuthorization), token: Buffer.from(token) }, key);
    },
    attribute(nonce, key) {
      const object = objectOf({ toBeSigned: nonce, token: nonce }, key);
      const statement = der.sequence(der.oid(statementTypes.attestationObject), der.octetString(object));
      return { oid: oids.attestation, values: [der.sequence(der.sequence(statement))] };
    },
  };
}

/** hwType of the devices of the maker. */
export const moduleType = '1.3.6.1.4.1.32473.7';

/** What a maker says of a key of a TPM that signs what the TPM says alone: tcg-cap-verifiedTPMRestricted (TPM 2.0 Keys for Device Identity and Attestation, section 8.2). */
const restricted: Extension = {
  oid: '2.5.29.32',
  critical: false,
  value: der.sequence(der.sequence(der.oid('2.23.133.11.1.3'))),
};

/** A TPM whose attestation key its maker has certified for good (IEEE 802.1AR). `assetTag`: a PermanentIdentifier that the same maker assigns. */
export function hardwareOfMaker(
  maker: TestCa,
  serialNumber: string,
  { firmware = '00010203', assetTag = null }: { firmware?: string; assetTag?: string | null } = {},
): PlayedHardware {
  const { certificate, key, chain } = maker.idevid({
    subjectAltName: [
      tpmName('ST33', firmware),
      hardwareModuleName(serialNumber, moduleType),
      ...(assetTag === null ? [] : [permanentIdentifier(assetTag, moduleType)]),
    ],
    extensions: [restricted],
  });
  const tpm = new PlayedTpm(key, [certificate, ...chain]);
  return {
    object: ({ keyAuthorization }, attested) => tpm.object(keyAuthorization, attested),
    attribute: (nonce, attested) => tpm.attribute(nonce, attested),
  };
}

/** What stands in x5c: the certificate of the key first. */
export function sent({ certificate, chain }: Certified): readonly Uint8Array[] {
  return [certificate, ...chain];
}
