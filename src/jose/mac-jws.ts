import { SallyportError } from '#errors';
import { type KeyObject, createHmac, timingSafeEqual } from 'node:crypto';
import { type FlattenedJws, parseFlattenedJws } from './flattened-jws.ts';
import type { Members } from './json.ts';
import { headerText } from './protected-header.ts';

export interface MacJwsHeader {
  readonly alg: 'HS256';
  /** The key identifier that was given out with the MAC key. */
  readonly kid: string;
  readonly url: string;
}

let contentOf: (jws: MacJws) => FlattenedJws;

/** An external account binding before its MAC was verified. Never a request: nothing but `verifyMac` takes it, and that takes nothing else. */
export class MacJws {
  readonly header: MacJwsHeader;
  readonly #content: FlattenedJws;

  constructor(content: FlattenedJws) {
    this.header = macHeaderOf(content.header);
    this.#content = content;
  }

  static {
    contentOf = (jws) => jws.#content;
  }
}

export interface VerifiedMacJws {
  readonly header: MacJwsHeader;
  readonly payload: Uint8Array;
}

/** HMAC with SHA-256 (RFC 7518 section 3.2). */
const macOctets = 32;

/**
 * The value of `externalAccountBinding` (RFC 8555 section 7.3.4), parsed with the payload around it. `unsupported` is always the `alg`;
 * everything else is `malformed` or `too-large`.
 */
export function parseMacJws(value: unknown): MacJws {
  return new MacJws(parseFlattenedJws(value));
}

/**
 * Throws `bad-signature` where the MAC is not by this key. A secret key of fewer than 256 bits is a fault of ours: "A key of the same
 * size as the hash output […] or larger MUST be used" (RFC 7518 section 3.2).
 */
export function verifyMac(jws: MacJws, key: KeyObject): VerifiedMacJws {
  // Of a key that is no secret there is no such size.
  if ((key.symmetricKeySize ?? 0) < macOctets) {
    throw new SallyportError('internal', 'a MAC key must be a secret of 256 bits or more');
  }
  const { signingInput, signature, payload } = contentOf(jws);
  if (!isMac(key, signingInput, signature)) {
    throw new SallyportError('bad-signature', 'JWS: the MAC is not by the key of its key identifier');
  }
  return { header: jws.header, payload };
}

/** Whole MACs only: a shorter one could be guessed. */
export function isMac(key: KeyObject, signingInput: Uint8Array, mac: Uint8Array): boolean {
  const computed = createHmac('sha256', key).update(signingInput).digest();
  return mac.length === computed.length && timingSafeEqual(mac, computed);
}

/** RFC 8555 section 7.3.4: a MAC's `alg`, `kid` and `url`; "The "nonce" field MUST NOT be present", and a key belongs into the payload. */
function macHeaderOf(header: Members): MacJwsHeader {
  if (headerText(header, 'alg') !== 'HS256') {
    throw new SallyportError('unsupported', 'JWS: alg of an external account binding is not HS256');
  }
  for (const name of ['nonce', 'jwk']) {
    if (Object.hasOwn(header, name)) {
      throw new SallyportError('malformed', `JWS: "${name}" must not be in an external account binding`);
    }
  }
  return { alg: 'HS256', kid: headerText(header, 'kid'), url: headerText(header, 'url') };
}
