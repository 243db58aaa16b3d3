/** Object identifiers of CMS messages, beside those of #x509, by their ASN.1 names. */
export const cmsOids = {
  /** RFC 5652 section 6. */
  envelopedData: '1.2.840.113549.1.7.3',
  /** id-ct-KP-aKeyPackage (RFC 5958 section 2). */
  asymmetricKeyPackage: '2.16.840.1.101.2.1.2.78.5',

  /** Signed attributes (RFC 5652 section 11). */
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',

  /** id-RSAES-OAEP (RFC 4055 section 4.1). */
  rsaesOaep: '1.2.840.113549.1.1.7',
  /** RFC 5753 section 7.1.4. */
  dhSinglePassStdDhSha256Kdf: '1.3.132.1.11.1',
  dhSinglePassStdDhSha384Kdf: '1.3.132.1.11.2',
  /** RFC 3565 section 4. */
  aes128Cbc: '2.16.840.1.101.3.4.1.2',
  aes192Cbc: '2.16.840.1.101.3.4.1.22',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  /** RFC 3370 section 5.1, for old devices alone. */
  desEde3Cbc: '1.2.840.113549.3.7',
  aes256Wrap: '2.16.840.1.101.3.4.1.45',
} as const;
