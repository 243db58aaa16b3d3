import { type KeyObject, constants, createPublicKey, verify } from 'node:crypto';
import type { Der } from './der-node.ts';
import { isEd25519PointUsable } from './edwards-curve.ts';
import { isRsaComputable } from './public-key-facts.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import { type SignatureScheme, parseSignatureAlgorithm } from './signature-algorithm.ts';

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
  const scheme = parseSignatureAlgorithm(algorithm);
  if (!isKeyOf(scheme, parsePublicKey(spki))) return false;
  const key = importKey(spki);
  return key !== null && verifyWith(scheme, key, data, signature);
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

function verifyWith(
  scheme: SignatureScheme,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    switch (scheme.family) {
      case 'rsa-pkcs1':
      case 'ecdsa':
        return verify(scheme.hash, data, key, signature);
      case 'rsa-pss':
        return verify(
          scheme.hash,
          data,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength },
          signature,
        );
      case 'ed25519':
      case 'ml-dsa':
        return verify(null, data, key, signature);
    }
  } catch {
    // OpenSSL answers some impossible signatures (a salt longer than the modulus) with an error.
    return false;
  }
}
