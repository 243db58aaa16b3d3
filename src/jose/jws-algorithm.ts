import { SallyportError } from '#errors';
import { type PublicKeyFacts, oids } from '#x509';

/** What an `alg` means. `keys`: what it fits; each key fits one algorithm, but for the two names of Ed25519. */
export interface JwsScheme {
  readonly oid: string;
  readonly keys: readonly PublicKeyFacts['algorithm'][];
  /** ECDSA: the size of R and of S. */
  readonly scalarOctets?: number;
}

const schemes = {
  ES256: { oid: oids.ecdsaWithSha256, keys: ['ec-p256'], scalarOctets: 32 },
  ES384: { oid: oids.ecdsaWithSha384, keys: ['ec-p384'], scalarOctets: 48 },
  RS256: { oid: oids.sha256WithRsaEncryption, keys: ['rsa-2048', 'rsa-3072', 'rsa-4096', 'rsa-other'] },
  // RFC 8037 section 3.1; RFC 9864 section 2.2 names the curve and deprecates the older name, which clients still send.
  EdDSA: { oid: oids.ed25519, keys: ['ed25519'] },
  Ed25519: { oid: oids.ed25519, keys: ['ed25519'] },
  // draft-ietf-cose-dilithium section 4: pure ML-DSA, with an empty context.
  'ML-DSA-44': { oid: oids.mlDsa44, keys: ['ml-dsa-44'] },
  'ML-DSA-65': { oid: oids.mlDsa65, keys: ['ml-dsa-65'] },
  'ML-DSA-87': { oid: oids.mlDsa87, keys: ['ml-dsa-87'] },
} as const satisfies Readonly<Record<string, JwsScheme>>;

export type JwsAlgorithm = keyof typeof schemes;

/** The allow-list, as RFC 8555 section 6.2 wants it told to who used another. */
export const jwsAlgorithms = Object.keys(schemes) as readonly JwsAlgorithm[];

/** Throws `unsupported` for everything else: "none" and MACs, which RFC 8555 section 6.2 forbids, among it. */
export function parseJwsAlgorithm(alg: string): JwsAlgorithm {
  const algorithm = jwsAlgorithms.find((known) => known === alg);
  if (algorithm === undefined) {
    throw new SallyportError('unsupported', `JWS: alg is none of ${jwsAlgorithms.join(', ')}`);
  }
  return algorithm;
}

export function schemeOf(alg: JwsAlgorithm): JwsScheme {
  return schemes[alg];
}
