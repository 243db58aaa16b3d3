import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { MacKey } from '#enrollment';
import { AcmeError } from './problems.ts';
import type { AcmeStore } from './store.ts';

/** A client may think for so long. */
const lifetimeMilliseconds = 3_600_000;
const timeOctets = 6;
const randomOctets = 12;
const macOctets = 16;

/**
 * Nonces (RFC 8555 section 6.5). One is a time and random octets under a MAC that every node can verify, so that giving one out writes nothing, and a fresh one is
 * good on any node; only its use is written down, for as long as its age does not refuse it. dehydrated gives up at the first badNonce.
 */
export class Nonces {
  readonly #store: Pick<AcmeStore, 'useNonce'>;
  readonly #macKeys: () => readonly MacKey[];
  readonly #random: (n: number) => Uint8Array;
  readonly #derived = new WeakMap<Uint8Array, KeyObject>();

  constructor(
    store: Pick<AcmeStore, 'useNonce'>,
    macKeys: () => readonly MacKey[],
    random: (n: number) => Uint8Array,
  ) {
    this.#store = store;
    this.#macKeys = macKeys;
    this.#random = random;
  }

  issue(now: number): string {
    const time = Buffer.alloc(timeOctets);
    time.writeUIntBE(now, 0, timeOctets);
    const body = Buffer.concat([time, this.#random(randomOctets)]);
    return Buffer.concat([body, this.#mac(body, this.#macKeys()[0]!)]).toString('base64url');
  }

  /** @throws AcmeError 'badNonce' where it is none of ours, older than an hour, or was used */
  async use(nonce: string | null, now: number): Promise<void> {
    if (nonce === null) throw badNonce('the request has no nonce');
    const bytes = Buffer.from(nonce, 'base64url');
    const isWhole = bytes.length === timeOctets + randomOctets + macOctets;
    if (!isWhole || bytes.toString('base64url') !== nonce) {
      throw badNonce('the nonce is none that was given out');
    }
    const body = bytes.subarray(0, -macOctets);
    const mac = bytes.subarray(-macOctets);
    if (!this.#macKeys().some((key) => timingSafeEqual(this.#mac(body, key), mac))) {
      throw badNonce('the nonce is none that was given out');
    }
    // Clocks of nodes are one, and may still be read a moment apart.
    const expiresAt = body.readUIntBE(0, timeOctets) + lifetimeMilliseconds;
    if (now >= expiresAt) throw badNonce('the nonce is older than an hour');
    if (!(await this.#store.useNonce(body, expiresAt))) throw badNonce('the nonce was used before');
  }

  #mac(body: Uint8Array, { key }: MacKey): Uint8Array {
    let derived = this.#derived.get(key);
    if (derived === undefined) {
      const octets = hkdfSync('sha256', key, new Uint8Array(), 'sallyport nonce', 32);
      derived = createSecretKey(new Uint8Array(octets));
      this.#derived.set(key, derived);
    }
    return createHmac('sha256', derived).update(body).digest().subarray(0, macOctets);
  }
}

function badNonce(words: string): AcmeError {
  return new AcmeError('badNonce', words);
}
