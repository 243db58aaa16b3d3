import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { inspect, promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SallyportError } from '#errors';

/** To the thread and back. */
export interface ToDecrypt {
  readonly id: number;
  readonly encrypted: Uint8Array;
  readonly transport: 'pkcs1' | 'oaep-sha1' | 'oaep-sha256';
}
export interface Decrypted {
  readonly id: number;
  readonly plain: Uint8Array;
}

interface Waiting {
  readonly resolve: (plain: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** More at once are refused: whoever sends so many waits for no answer. */
const mostWaiting = 1024;

const signInThreadPool = promisify(sign);

/**
 * An RSA key that opens messages and signs the answers (RFC 8894 section 2.1.2). It opens them in a thread of its own: Node.js decrypts by no other way
 * than to block one, for about a millisecond. Whatever was not encrypted for it comes out as other octets, or none: for RSAES-PKCS1-v1_5 OpenSSL makes them up from key and ciphertext (implicit rejection).
 * Cannot be printed, cloned or posted.
 */
export class MessageKey {
  readonly spki: Uint8Array;
  readonly #privateKey: KeyObject;
  #worker: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended = false;

  /** @throws SallyportError 'key' where it is no RSA key of 2048 bits or more */
  constructor(privateKey: KeyObject) {
    const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (privateKey.asymmetricKeyType !== 'rsa' || bits < 2048) {
      throw new SallyportError('key', 'messages are decrypted by an RSA key of at least 2048 bits');
    }
    this.#privateKey = privateKey;
    this.spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    Object.freeze(this);
  }

  /** Starts the thread, which takes a moment: the first message does where nobody did before. */
  start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const module = new URL('./decryption-worker.ts', import.meta.url);
    const worker = new Worker(module, { workerData: this.#privateKey, name: 'decryption' });
    worker.on('message', ({ id, plain }: Decrypted) => {
      this.#waiting.get(id)?.resolve(plain);
      this.#waiting.delete(id);
    });
    worker.on('error', () => this.#lose(worker));
    worker.on('exit', () => this.#lose(worker));
    // Listening holds the process, which this alone is not to keep.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  /** @throws SallyportError 'store' where too many wait, or the thread has ended */
  decrypt(encrypted: Uint8Array, transport: ToDecrypt['transport']): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#ended || this.#waiting.size >= mostWaiting) {
        reject(
          new SallyportError(
            'store',
            this.#ended ? 'the decryption thread has ended' : 'too many messages wait to be decrypted',
          ),
        );
        return;
      }
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.start().postMessage({ id: this.#lastId, encrypted, transport } satisfies ToDecrypt);
    });
  }

  /** PKCS #1 v1.5, by the thread pool. SHA-1 is for devices that know nothing else, and says nothing that a certificate would. */
  sign(data: Uint8Array, hash: 'sha1' | 'sha256' | 'sha384' | 'sha512'): Promise<Uint8Array> {
    return signInThreadPool(hash, data, this.#privateKey);
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#worker?.terminate();
  }

  toJSON(): object {
    return {};
  }

  [inspect.custom](): string {
    return 'MessageKey {}';
  }

  /** The next message starts another one. */
  #lose(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) {
      reject(new SallyportError('store', 'the decryption thread has ended'));
    }
    this.#waiting.clear();
  }
}
