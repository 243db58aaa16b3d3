import { type PublicKeyFacts, inspectPublicKey, oids, verifySignature } from '#x509';

interface SignatureAlgorithm {
  /** Number of the IANA registry "COSE Algorithms". */
  readonly cose: number;
  readonly oid: string;
}

const rs256: SignatureAlgorithm = { cose: -257, oid: oids.sha256WithRsaEncryption };

/** One for each kind of key: the key decides, and `alg` can only agree. */
const algorithms: Partial<Record<PublicKeyFacts['algorithm'], SignatureAlgorithm>> = {
  'ec-p256': { cose: -7, oid: oids.ecdsaWithSha256 },
  'ec-p384': { cose: -35, oid: oids.ecdsaWithSha384 },
  ed25519: { cose: -8, oid: oids.ed25519 },
  'rsa-2048': rs256,
  'rsa-3072': rs256,
  'rsa-4096': rs256,
};

/** Whether the attested key signed, by the COSE algorithm of the statement. */
export function isSignedByAttestedKey(
  spki: Uint8Array,
  alg: number,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = algorithms[inspectPublicKey(spki).algorithm];
  return algorithm?.cose === alg && verifySignature(algorithm.oid, spki, data, signature);
}
