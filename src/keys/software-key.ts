import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { inspect, promisify } from 'node:util';
import type { KeyAlgorithm, SigningKey } from './algorithms.ts';
import { encryptPkcs8 } from './encrypted-pkcs8.ts';
import { algorithmOf, signatureHash, signsSynchronously } from './node-key-types.ts';

const signInThreadPool = promisify(sign);

/** Octets. To hash more takes this thread longer than the way to the thread pool and back. */
const hashedHere = 65_536;

/** A private key held in this process. Cannot be printed, cloned or posted: the key is in a private field. */
export class SoftwareKey implements SigningKey {
  readonly algorithm: KeyAlgorithm;
  readonly spki: Uint8Array;
  readonly #privateKey: KeyObject;

  /** @throws SallyportError 'key' where the key is not of a KeyAlgorithm */
  constructor(privateKey: KeyObject) {
    this.algorithm = algorithmOf(privateKey);
    this.spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    this.#privateKey = privateKey;
    Object.freeze(this);
  }

  async sign(data: Uint8Array): Promise<Uint8Array> {
    const hash = signatureHash[this.algorithm];
    return signsSynchronously[this.algorithm] && data.length <= hashedHere
      ? sign(hash, data, this.#privateKey)
      : await signInThreadPool(hash, data, this.#privateKey);
  }

  /** PEM of RFC 5958 EncryptedPrivateKeyInfo. There is no way to have the key in the clear. */
  toEncryptedPkcs8(passphrase: string): string {
    const plain = this.#privateKey.export({ type: 'pkcs8', format: 'der' });
    try {
      return encryptPkcs8(plain, passphrase);
    } finally {
      plain.fill(0);
    }
  }

  toJSON(): { algorithm: KeyAlgorithm } {
    return { algorithm: this.algorithm };
  }

  [inspect.custom](): string {
    return `SoftwareKey { algorithm: '${this.algorithm}' }`;
  }
}
