/** Key algorithms of signing keys and of certified keys, by one name each. */
export const keyAlgorithms = [
  'ec-p256',
  'ec-p384',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ed25519',
  'ml-dsa-44',
  'ml-dsa-65',
  'ml-dsa-87',
] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** A private key that signs. Software today; PKCS#11 later. Implementations never reveal the key. */
export interface SigningKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** The signature over `data` as X.509 wants it (ECDSA: DER SEQUENCE of r and s; hash by algorithm). */
  sign(data: Uint8Array): Promise<Uint8Array>;
}
