import { SallyportError } from '#errors';
import type { Der } from '#x509';
import { decodeBase64Url } from './base64url.ts';
import { type FlattenedJws, parseFlattenedJws } from './flattened-jws.ts';
import { type Members, parseJson } from './json.ts';
import { type JwsAlgorithm, parseJwsAlgorithm } from './jws-algorithm.ts';
import { isJwsSignature } from './jws-signature.ts';
import { headerText } from './protected-header.ts';

export interface JwsHeader {
  readonly alg: JwsAlgorithm;
  readonly url: string;
  /** null: none, as in the inner JWS of a key change (RFC 8555 section 7.3.5). */
  readonly nonce: string | null;
  readonly signer: JwsSigner;
}

/** Whose signature it claims to be. A JWK is for `parseJwk`: RFC 8555 section 6.7 has one error for a bad key (badPublicKey) and others for a bad JWS. */
export type JwsSigner =
  | { readonly by: 'jwk'; readonly jwk: unknown }
  | { readonly by: 'kid'; readonly kid: string };

let contentOf: (jws: Jws) => FlattenedJws;

/** A signed request before its signature was verified: its header can be read, to find the key, and its payload cannot. */
export class Jws {
  readonly header: JwsHeader;
  readonly #content: FlattenedJws;

  constructor(content: FlattenedJws) {
    this.header = jwsHeaderOf(content.header);
    this.#content = content;
  }

  static {
    contentOf = (jws) => jws.#content;
  }
}

/** What the key signed. */
export interface VerifiedJws {
  readonly header: JwsHeader;
  /** null: POST-as-GET, "a zero-length octet string" (RFC 8555 section 6.3), which is not the empty object. */
  readonly payload: Uint8Array | null;
}

/**
 * A request's body, or the payload that is the inner JWS of a key change. `unsupported` is always the `alg` (badSignatureAlgorithm);
 * everything else is `malformed` or `too-large`.
 */
export function parseJws(bytes: Uint8Array): Jws {
  return new Jws(parseFlattenedJws(parseJson(bytes, 'JWS')));
}

/** Throws `bad-signature` where the signature is not by this key, or the algorithm is not the key's. */
export function verifyJws(jws: Jws, spki: Der): VerifiedJws {
  const { signingInput, signature, payload } = contentOf(jws);
  if (!isJwsSignature(jws.header.alg, spki, signingInput, signature)) {
    throw new SallyportError(
      'bad-signature',
      `JWS: the signature is no ${jws.header.alg} signature by the key`,
    );
  }
  return { header: jws.header, payload: payload.length === 0 ? null : payload };
}

/** RFC 8555 section 6.2. */
function jwsHeaderOf(header: Members): JwsHeader {
  return {
    alg: parseJwsAlgorithm(headerText(header, 'alg')),
    url: headerText(header, 'url'),
    nonce: nonceOf(header),
    signer: signerOf(header),
  };
}

/** RFC 8555 section 6.5.2: what is not valid base64url "MUST" be rejected as malformed. */
function nonceOf(header: Members): string | null {
  if (!Object.hasOwn(header, 'nonce')) return null;
  const nonce = headerText(header, 'nonce');
  decodeBase64Url(nonce, 'JWS: "nonce"');
  return nonce;
}

/** "The "jwk" and "kid" fields are mutually exclusive. Servers MUST reject requests that contain both." */
function signerOf(header: Members): JwsSigner {
  if (Object.hasOwn(header, 'jwk') === Object.hasOwn(header, 'kid')) {
    throw new SallyportError('malformed', 'JWS: the protected header must have one of "jwk" and "kid"');
  }
  return Object.hasOwn(header, 'jwk')
    ? { by: 'jwk', jwk: header.jwk }
    : { by: 'kid', kid: headerText(header, 'kid') };
}
