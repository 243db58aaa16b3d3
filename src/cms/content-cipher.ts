import { cmsOids } from './cms-oids.ts';

/** In CBC, as all of SCEP's clients have them. */
export type ContentCipher = 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'des-ede3-cbc';

/** Octets of key and initialization vector. */
export const ciphers: Readonly<
  Record<ContentCipher, { readonly oid: string; readonly key: number; readonly iv: number }>
> = {
  'aes-128-cbc': { oid: cmsOids.aes128Cbc, key: 16, iv: 16 },
  'aes-192-cbc': { oid: cmsOids.aes192Cbc, key: 24, iv: 16 },
  'aes-256-cbc': { oid: cmsOids.aes256Cbc, key: 32, iv: 16 },
  'des-ede3-cbc': { oid: cmsOids.desEde3Cbc, key: 24, iv: 8 },
};

export function cipherOf(oid: string): ContentCipher | undefined {
  const names = Object.keys(ciphers) as ContentCipher[];
  return names.find((name) => ciphers[name].oid === oid);
}
