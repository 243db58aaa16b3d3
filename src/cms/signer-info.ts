import { SallyportError } from '#errors';
import { type Certificate, type Der, der, oids, signatureAlgorithmIdentifier, verifySignature } from '#x509';
import { hash } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import type { MessageDigest } from './message-digest.ts';

type SigningAlgorithm = Parameters<typeof signatureAlgorithmIdentifier>[0];

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
} as const satisfies Record<SigningAlgorithm, MessageDigest>;

const version = der.integer(1);

/** How a message is signed. */
export interface Signing {
  readonly digest: MessageDigest;
  /** AlgorithmIdentifier of the signature, as it stands in the message. */
  readonly algorithm: Der;
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
  readonly verify: (spki: Der, data: Uint8Array, signature: Uint8Array) => boolean;
}

/** By what a key of ours signs with everywhere. */
export function signingOf({ key }: Signer): Signing {
  const algorithm = signatureAlgorithmIdentifier(key.algorithm);
  return {
    digest: digests[key.algorithm],
    algorithm,
    sign: (data) => key.sign(data),
    verify: (spki, data, signature) => verifySignature(algorithm, spki, data, signature),
  };
}

/** The AlgorithmIdentifier of the digest: "MUST generate ... with absent parameters" (RFC 5754 section 2). */
export function digestAlgorithm(digest: MessageDigest): Der {
  return der.sequence(der.oid(oids[digest]));
}

/**
 * SignerInfo, version 1, with signed attributes (RFC 5652 section 5.3); a content that is absent is digested as no octets. `signingTime` is in
 * milliseconds since 1970.
 * @throws SallyportError 'internal' where the signature does not verify under the certificate: a faulty RSA signature
 * would factor the key, and one by another key helps nobody
 */
export async function signerInfo(
  content: { readonly type: string; readonly bytes: Der | null },
  certificate: Certificate,
  signing: Signing,
  signingTime: number,
  more: readonly Der[] = [],
): Promise<Der> {
  // RFC 5652 sections 5.3 and 11: "MUST be DER encoded", so in the order of SET OF.
  const attributes = der.set(
    attribute(cmsOids.contentType, der.oid(content.type)),
    attribute(
      cmsOids.messageDigest,
      der.octetString(hash(signing.digest, content.bytes ?? new Uint8Array(), 'buffer')),
    ),
    attribute(cmsOids.signingTime, der.time(signingTime)),
    ...more,
  );
  // RFC 5652 section 5.4: what is signed has the tag of SET OF, not the [0] of the message.
  const signature = await signing.sign(attributes);
  if (!signing.verify(certificate.spki, attributes, signature)) {
    throw new SallyportError(
      'internal',
      "SignedData: the signature is not by the certificate's key; it was thrown away",
    );
  }
  return der.sequence(
    version,
    issuerAndSerialNumber(certificate),
    digestAlgorithm(signing.digest),
    der.implicit(0, attributes),
    signing.algorithm,
    der.octetString(signature),
  );
}

/** Attribute of one value (RFC 5652 section 5.3). */
export function attribute(type: string, value: Der): Der {
  return der.sequence(der.oid(type), der.set(value));
}
