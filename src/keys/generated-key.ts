import { createPublicKey, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { SallyportError } from '#errors';
import type { KeyAlgorithm } from './algorithms.ts';
import { generatePrivateKey } from './node-key-types.ts';

/** A key made for somebody else, who gets it once. Cannot be printed, cloned or posted. */
export class GeneratedKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  #privateKey: KeyObject | null;

  constructor(privateKey: KeyObject) {
    this.spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    this.#privateKey = privateKey;
  }

  /** PKCS #8, DER, in the clear: the caller wipes it. A second time there is nothing to take. */
  takePkcs8(): Uint8Array {
    if (this.#privateKey === null) throw new SallyportError('key', 'the key was taken already');
    const pkcs8 = this.#privateKey.export({ type: 'pkcs8', format: 'der' });
    this.#privateKey = null;
    return pkcs8;
  }

  toJSON(): object {
    return {};
  }

  [inspect.custom](): string {
    return 'GeneratedKey {}';
  }
}

/** From OpenSSL's generator, in its thread pool. */
export async function generateKeyFor(algorithm: KeyAlgorithm): Promise<GeneratedKey> {
  return new GeneratedKey(await generatePrivateKey(algorithm));
}
