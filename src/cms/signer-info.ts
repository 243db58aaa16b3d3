import { SallyportError } from '#errors';
import { type Certificate, type Der, der, oids, signatureAlgorithmIdentifier, verifySignature } from '#x509';
import { hash } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import type { Content } from './content-info.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';

type SigningAlgorithm = Parameters<typeof signatureAlgorithmIdentifier>[0];
type Digest = 'sha256' | 'sha384' | 'sha512';

/** Who signs a message. */
export interface Signer {
  readonly certificate: Certificate;
  /** Issuers' certificates that go with the signer's own, its issuer first. */
  readonly chain: readonly Der[];
  /** The certificate's key; a SigningKey of #keys is one. */
  readonly key: {
    readonly algorithm: SigningAlgorithm;
    sign(data: Uint8Array): Promise<Uint8Array>;
  };
}

/**
 * What digests the content: the hash that the key signs with, so that one message needs one hash. Ed25519 "MUST" go with
 * SHA-512 (RFC 8419 section 3.1); SHA-512 suits every ML-DSA and is what all implementations have (RFC 9882 section 3.3).
 */
const digests = {
  'ec-p256': 'sha256',
  'ec-p384': 'sha384',
  'rsa-2048': 'sha256',
  'rsa-3072': 'sha256',
  'rsa-4096': 'sha256',
  ed25519: 'sha512',
  'ml-dsa-44': 'sha512',
  'ml-dsa-65': 'sha512',
  'ml-dsa-87': 'sha512',
} as const satisfies Record<SigningAlgorithm, Digest>;

const version = der.integer(1);

/** The AlgorithmIdentifier of the digest: "MUST generate ... with absent parameters" (RFC 5754 section 2). */
export function digestAlgorithm({ key }: Signer): Der {
  return der.sequence(der.oid(oids[digests[key.algorithm]]));
}

/**
 * SignerInfo, version 1, with signed attributes (RFC 5652 section 5.3). `signingTime` is in milliseconds since 1970.
 * @throws SallyportError 'internal' where the signature does not verify under the certificate: a faulty RSA signature
 * would factor the key, and one by another key helps nobody
 */
export async function signerInfo(content: Content, signer: Signer, signingTime: number): Promise<Der> {
  const { certificate, key } = signer;
  const algorithm = signatureAlgorithmIdentifier(key.algorithm);
  const attributes = signedAttributes(content, digests[key.algorithm], signingTime);
  // RFC 5652 section 5.4: what is signed has the tag of SET OF, not the [0] of the message.
  const signature = await key.sign(attributes);
  if (!verifySignature(algorithm, certificate.spki, attributes, signature)) {
    throw new SallyportError(
      'internal',
      "SignedData: the signature is not by the certificate's key; it was thrown away",
    );
  }
  return der.sequence(
    version,
    issuerAndSerialNumber(certificate),
    digestAlgorithm(signer),
    der.implicit(0, attributes),
    algorithm,
    der.octetString(signature),
  );
}

/** RFC 5652 sections 5.3 and 11: "MUST be DER encoded", so in the order of SET OF. */
function signedAttributes({ type, bytes }: Content, digest: Digest, signingTime: number): Der {
  return der.set(
    attribute(cmsOids.contentType, der.oid(type)),
    attribute(cmsOids.messageDigest, der.octetString(hash(digest, bytes, 'buffer'))),
    attribute(cmsOids.signingTime, der.time(signingTime)),
  );
}

function attribute(type: string, value: Der): Der {
  return der.sequence(der.oid(type), der.set(value));
}
