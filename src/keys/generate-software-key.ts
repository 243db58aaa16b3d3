import type { KeyAlgorithm } from './algorithms.ts';
import { generatePrivateKey } from './node-key-types.ts';
import { SoftwareKey } from './software-key.ts';

/** A new key from OpenSSL's generator. */
export async function generateSoftwareKey(algorithm: KeyAlgorithm): Promise<SoftwareKey> {
  return new SoftwareKey(await generatePrivateKey(algorithm));
}
