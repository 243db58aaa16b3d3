import { type ECDH, createCipheriv, createECDH, createHmac } from 'node:crypto';
import { SallyportError, isSallyportError } from '#errors';
import { type Der, parseCertificate } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { EvidenceFault } from '../examination.ts';
import { type TpmHash, digestOctets } from './algorithms.ts';
import { AttestationKey, type Creation } from './attestation-key.ts';
import { EndorsementKey } from './endorsement-key.ts';
import { kdfa, kdfe, terminated } from './kdf.ts';
import { encryptOaep } from './oaep.ts';
import type { Curve, EccKey, RsaKey } from './public-area.ts';

/** What a TPM sends that wants a certificate for its attestation key. */
export interface ActivationRequest {
  readonly endorsementCertificate: Der;
  /** TPMT_PUBLIC; null: it was not sent, and is that of a template. */
  readonly endorsementKey: Uint8Array | null;
  /** TPMT_PUBLIC. */
  readonly attestationKey: Uint8Array;
  readonly creation: Creation | null;
}

export type ActivationExamination =
  | { readonly fault: EvidenceFault; readonly keys: null }
  | {
      readonly fault: null;
      readonly keys: { readonly endorsementKey: EndorsementKey; readonly attestationKey: AttestationKey };
    };

/** Looks at both keys. Nothing is thrown but by faults of ours. */
export function examineActivation(request: ActivationRequest): ActivationExamination {
  try {
    const certificate = parseCertificate(request.endorsementCertificate);
    const endorsementKey = EndorsementKey.of(certificate, request.endorsementKey);
    const attestationKey = AttestationKey.of(request.attestationKey, request.creation);
    return { fault: null, keys: { endorsementKey, attestationKey } };
  } catch (error) {
    if (error instanceof EvidenceRefused) return { fault: error.fault, keys: null };
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return { fault: { check: error.code, detail: error.message }, keys: null };
  }
}

export interface Credential {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

/** Random octets, as many as are asked for. */
export type Randomness = (octets: number) => Uint8Array;

const none = new Uint8Array();
/** The label of both ways to share a seed. */
const purpose = 'IDENTITY';
const maximumDraws = 16;

/**
 * TPM2_MakeCredential (part 3 section 12.6): only the TPM of the endorsement key recovers `value`, by TPM2_ActivateCredential, and only while the attestation
 * key is in it. Hash and cipher are the endorsement key's own (part 1 section 24). `value` is no longer than that hash.
 */
export function makeCredential(
  { key, nameAlg: hash, keyBits }: EndorsementKey,
  { name }: AttestationKey,
  value: Uint8Array,
  random: Randomness,
): Credential {
  const octets = digestOctets[hash];
  if (value.length === 0 || value.length > octets) {
    throw new SallyportError('internal', `a credential of ${value.length} octets for ${hash}`);
  }
  const { seed, secret } =
    key.type === 'rsa' ? shareByRsa(key, hash, random) : shareByEcdh(key, hash, random);
  const cipherKey = kdfa(hash, seed, 'STORAGE', name, none, keyBits);
  const cipher = createCipheriv(`aes-${keyBits}-cfb`, cipherKey, new Uint8Array(16));
  const encrypted = Buffer.concat([cipher.update(sized(value)), cipher.final()]);
  const macKey = kdfa(hash, seed, 'INTEGRITY', none, none, octets * 8);
  const mac = createHmac(hash, macKey).update(encrypted).update(name).digest();
  return { credentialBlob: sized(Buffer.concat([sized(mac), encrypted])), secret: sized(secret) };
}

interface SharedSeed {
  readonly seed: Uint8Array;
  /** How the TPM comes to it: the content of TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

/** Part 1 annex B. */
function shareByRsa(key: RsaKey, hash: TpmHash, random: Randomness): SharedSeed {
  const seed = random(digestOctets[hash]);
  return { seed, secret: encryptOaep(key, hash, terminated(purpose), seed, random(digestOctets[hash])) };
}

/** Part 1 annex C: with an ephemeral key of the same curve. */
function shareByEcdh({ curve, x, y }: EccKey, hash: TpmHash, random: Randomness): SharedSeed {
  const ecdh = createECDH(curve.name);
  setEphemeralKey(ecdh, curve, random);
  const z = ecdh.computeSecret(Uint8Array.of(4, ...x, ...y));
  const point = ecdh.getPublicKey();
  const [ephemeralX, ephemeralY] = [point.subarray(1, 1 + curve.octets), point.subarray(1 + curve.octets)];
  return {
    seed: kdfe(hash, z, purpose, ephemeralX, x, digestOctets[hash] * 8),
    secret: new Uint8Array(Buffer.concat([sized(ephemeralX), sized(ephemeralY)])),
  };
}

/** SP 800-56A section 5.6.1.2.2: candidates are drawn until one is below the order of the curve, which all but one in 2^32 are. */
function setEphemeralKey(ecdh: ECDH, { octets, bits }: Curve, random: Randomness): void {
  for (let tries = 0; tries < maximumDraws; tries += 1) {
    const candidate = Uint8Array.from(random(octets));
    candidate[0]! &= 0xff >> (octets * 8 - bits);
    try {
      ecdh.setPrivateKey(candidate);
      return;
    } catch {
      // Zero, or not below the order.
    }
  }
  throw new SallyportError(
    'internal',
    `of ${maximumDraws} draws none is a private key: this is no randomness`,
  );
}

function sized(octets: Uint8Array): Uint8Array {
  return Uint8Array.of(octets.length >> 8, octets.length & 0xff, ...octets);
}
