import { type KeyObject, constants, createPublicKey, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { Der } from './der-node.ts';
import { isEd25519PointUsable } from './edwards-curve.ts';
import { isRsaComputable } from './public-key-facts.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import { type SignatureScheme, parseSignatureAlgorithm } from './signature-algorithm.ts';

/** Whether `signature` over `data` is by the key. */
export type SignatureVerifier = (data: Uint8Array, signature: Uint8Array) => boolean;

/**
 * Whether `signature` over `data` is by the key of `spki`. The algorithm is an AlgorithmIdentifier or, where it needs no
 * parameters, a dotted OID. Throws `unsupported` for an algorithm that is not on the allow-list and as `parsePublicKey`
 * does; a key of another kind, off its curve, of small order or too large to compute with gives false.
 */
export function verifySignature(
  algorithm: Der | string,
  spki: Der,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  return signatureVerifier(algorithm, spki)(data, signature);
}

/** The same for a key that verifies often: it is parsed once. */
export function signatureVerifier(algorithm: Der | string, spki: Der): SignatureVerifier {
  const verifier = verifierOf(algorithm, spki);
  if (verifier === null) return () => false;
  const { hash, key } = verifier;
  return (data, signature) => {
    try {
      return verify(hash, data, key, signature);
    } catch {
      // OpenSSL answers some impossible signatures (a salt longer than the modulus) with an error.
      return false;
    }
  };
}

const verifyInThreadPool = promisify(verify);

/** The same for data of megabytes, which is not hashed in this thread. */
export async function verifySignatureOfMuch(
  ...[algorithm, spki, data, signature]: Parameters<typeof verifySignature>
): Promise<boolean> {
  const verifier = verifierOf(algorithm, spki);
  if (verifier === null) return false;
  return verifyInThreadPool(verifier.hash, data, verifier.key, signature).catch(() => false);
}

/**
 * PKCS #1 v1.5 with SHA-1, for messages of devices that know nothing else and whose template says so. Certificates are never verified by it: whoever
 * finds a collision there has a certificate, and here a message of his own making.
 */
export function verifyRsaSha1Signature(spki: Der, data: Uint8Array, signature: Uint8Array): boolean {
  const parsed = parsePublicKey(spki);
  if (parsed.kind !== 'rsa' || !isRsaComputable(parsed)) return false;
  const key = importKey(spki);
  return key !== null && verify('sha1', data, key, signature);
}

/** null where no signature of this algorithm can be by the key. */
function verifierOf(algorithm: Der | string, spki: Der) {
  const scheme = parseSignatureAlgorithm(algorithm);
  if (!isKeyOf(scheme, parsePublicKey(spki))) return null;
  const key = importKey(spki);
  if (key === null) return null;
  switch (scheme.family) {
    case 'rsa-pkcs1':
    case 'ecdsa':
      return { hash: scheme.hash, key };
    case 'rsa-pss':
      return {
        hash: scheme.hash,
        key: { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength },
      };
    case 'ed25519':
    case 'ml-dsa':
      return { hash: null, key };
  }
}

/** The key's own algorithm decides what it may verify, never the message alone. */
function isKeyOf(scheme: SignatureScheme, key: PublicKey): boolean {
  switch (scheme.family) {
    case 'rsa-pkcs1':
    case 'rsa-pss':
      return key.kind === 'rsa' && isRsaComputable(key);
    case 'ecdsa':
      return key.kind === 'ec' && key.curve !== null;
    case 'ed25519':
      return key.kind === 'ed25519' && isEd25519PointUsable(key.point);
    case 'ml-dsa':
      return key.kind === 'ml-dsa' && key.oid === scheme.keyOid;
  }
}

/** null: OpenSSL refuses the key, an EC point off its curve among others. */
function importKey(spki: Der): KeyObject | null {
  try {
    const key = Buffer.from(spki.buffer, spki.byteOffset, spki.length);
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
