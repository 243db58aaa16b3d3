import { type Der, oids, verifyRsaSha1Signature, verifySignature } from '#x509';

/** What a message is digested with. SHA-1 is for devices that know nothing else, and for no certificate. */
export type MessageDigest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const schemes = {
  rsa: {
    sha256: oids.sha256WithRsaEncryption,
    sha384: oids.sha384WithRsaEncryption,
    sha512: oids.sha512WithRsaEncryption,
  },
  ecdsa: { sha256: oids.ecdsaWithSha256, sha384: oids.ecdsaWithSha384, sha512: oids.ecdsaWithSha512 },
} as const;

/** By a key of that family, RSA with PKCS #1 v1.5; with SHA-1 by RSA alone. */
export function verifyMessageSignature(
  family: 'rsa' | 'ecdsa',
  digest: MessageDigest,
  spki: Der,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  return digest === 'sha1'
    ? verifyRsaSha1Signature(spki, data, signature)
    : verifySignature(schemes[family][digest], spki, data, signature);
}
