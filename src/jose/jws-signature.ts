import { type Der, der, inspectPublicKey, signatureVerifier, type SignatureVerifier } from '#x509';
import { type JwsAlgorithm, type JwsScheme, schemeOf } from './jws-algorithm.ts';

/**
 * Whether `signature` over the JWS Signing Input is by the key. Gives false for a key that the algorithm does not fit and for one that
 * `parseJwk` would refuse, wherever it comes from. Throws as `inspectPublicKey` does.
 */
export function isJwsSignature(
  alg: JwsAlgorithm,
  spki: Der,
  signingInput: Uint8Array,
  signature: Uint8Array,
): boolean {
  const verifier = verifierOf(alg, spki);
  if (verifier === null) return false;
  const encoded = asInX509(schemeOf(alg), signature);
  return encoded !== null && verifier(signingInput, encoded);
}

/** For as long as whoever holds a key holds it: an account's signs every request, and judging and importing it costs a third of verifying. */
const verifiers = new WeakMap<Der, Map<JwsAlgorithm, SignatureVerifier | null>>();

/** null: the algorithm does not fit the key, or nothing that the key signs is accepted. */
function verifierOf(alg: JwsAlgorithm, spki: Der): SignatureVerifier | null {
  const ofKey = verifiers.getOrInsertComputed(spki, () => new Map<JwsAlgorithm, SignatureVerifier | null>());
  return ofKey.getOrInsertComputed(alg, () => {
    const { oid, keys } = schemeOf(alg);
    const { algorithm, weaknesses } = inspectPublicKey(spki);
    const fits = keys.includes(algorithm) && weaknesses.length === 0;
    return fits ? signatureVerifier(oid, spki) : null;
  });
}

/**
 * RFC 7518 section 3.4: an ECDSA signature is R and S, each of the full size of the curve's order; "The JWS Signature value MUST be a
 * 64-octet sequence. If it is not […] the validation has failed." X.509 has a SEQUENCE of the two. null: of another length.
 */
function asInX509({ scalarOctets }: JwsScheme, signature: Uint8Array): Uint8Array | null {
  if (scalarOctets === undefined) return signature;
  if (signature.length !== 2 * scalarOctets) return null;
  return der.sequence(
    der.integer(signature.subarray(0, scalarOctets)),
    der.integer(signature.subarray(scalarOctets)),
  );
}
