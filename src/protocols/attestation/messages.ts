import type { OfferedKeys } from '#enrollment';
import { SallyportError } from '#errors';
import type { Der } from '#x509';

/**
 * The messages of step's clients (go.step.sm/crypto/tpm/attestation), of which there is no specification: octets are in base64 with padding, in TPM structures
 * without the size before them where they are named TPMS or TPMT. Of other members no notice is taken: what a TPM says of itself (tpmInfo) proves nothing.
 */
type Members = Readonly<Record<string, unknown>>;

const maximumCertificates = 4;
const maximumOctets = 8192;

/**
 * `ek`: SubjectPublicKeyInfo. `ekCerts`: certificates, that of the endorsement key among them. `params`: `public` (TPMT_PUBLIC), `createData` (TPMS_CREATION_DATA),
 * `createAttestation` (TPMS_ATTEST), `createSignature` (TPMT_SIGNATURE). `ekPublic`, which step does not send: TPMT_PUBLIC. Throws 'malformed'.
 */
export function parseAttest(message: Uint8Array): OfferedKeys {
  const members = objectOf(message);
  const params = members['params'];
  if (!isObject(params)) throw malformed('params is no object');
  if (params['useTCSDActivationFormat'] === true) throw malformed('a TPM 1.2 has no place here');
  return {
    endorsementKey: octetsOf(members, 'ek'),
    endorsementArea: members['ekPublic'] === undefined ? null : octetsOf(members, 'ekPublic'),
    certificates: certificatesOf(members),
    attestationKey: octetsOf(params, 'public'),
    creation: {
      data: octetsOf(params, 'createData'),
      attest: octetsOf(params, 'createAttestation'),
      signature: octetsOf(params, 'createSignature'),
    },
    message,
  };
}

/** `secret`: what TPM2_ActivateCredential gave. Throws 'malformed'. */
export function parseSecret(message: Uint8Array): Uint8Array {
  return octetsOf(objectOf(message), 'secret');
}

/** `credential`: TPM2B_ID_OBJECT. `secret`: TPM2B_ENCRYPTED_SECRET. */
export function encodeChallenge(credential: { credentialBlob: Uint8Array; secret: Uint8Array }): string {
  return JSON.stringify({
    credential: credential.credentialBlob.toBase64(),
    secret: credential.secret.toBase64(),
  });
}

/** `chain`: certificates, that of the attestation key first. */
export function encodeChain(certificates: readonly Der[]): string {
  return JSON.stringify({ chain: certificates.map((each) => Buffer.from(each).toString('base64')) });
}

function certificatesOf(members: Members): readonly Der[] {
  // Go writes null for a list that is empty.
  const list = members['ekCerts'] ?? [];
  if (!Array.isArray(list) || list.length > maximumCertificates) {
    throw malformed(`ekCerts must be a list of ${maximumCertificates} certificates at most`);
  }
  return list.map((each: unknown) => decode(each, 'ekCerts'));
}

function octetsOf(members: Members, name: string): Uint8Array {
  return decode(members[name], name);
}

function decode(value: unknown, name: string): Uint8Array {
  if (typeof value !== 'string' || value === '') throw malformed(`${name} is missing, or no base64`);
  let octets: Uint8Array;
  try {
    octets = Uint8Array.fromBase64(value, { lastChunkHandling: 'strict' });
  } catch {
    // The engine's own words would repeat what was sent.
    throw malformed(`${name} is no base64`);
  }
  if (octets.length > maximumOctets) throw malformed(`${name} is longer than ${maximumOctets} octets`);
  return octets;
}

function objectOf(message: Uint8Array): Members {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(message));
  } catch {
    throw malformed('the message is no JSON');
  }
  if (!isObject(value)) throw malformed('the message is no JSON object');
  return value;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(words: string): SallyportError {
  return new SallyportError('malformed', words);
}
