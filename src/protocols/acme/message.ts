import type { Admission } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  type Jwk,
  jwsAlgorithms,
  membersOf,
  parseJson,
  parseJwk,
  parseJws,
  thumbprint,
  verifyJws,
} from '#jose';
import { AcmeError, malformed } from './problems.ts';
import type { Nonces } from './nonce.ts';
import type { AcmeStore, StoredAccount } from './store.ts';

/** A request whose signature, nonce and address hold. */
export interface Message {
  readonly signer:
    | { readonly by: 'account'; readonly account: StoredAccount; readonly jwk: Jwk }
    | { readonly by: 'key'; readonly jwk: Jwk; readonly thumbprint: string };
  /** null: POST-as-GET. */
  readonly payload: Uint8Array | null;
}

/** By what a resource takes a signature (RFC 8555 section 6.2). */
export type Signature = 'account' | 'key' | 'either';

/**
 * RFC 8555 sections 6.2 to 6.5. The nonce is used last, once the rest has shown that it is worth a write: what fails before could fail again with the same one.
 * @throws AcmeError
 */
export async function readMessage(
  body: Uint8Array,
  expected: {
    readonly url: string;
    readonly accountUrl: (id: string) => string;
    readonly signature: Signature;
  },
  ports: {
    readonly store: AcmeStore;
    readonly nonces: Nonces;
    readonly now: number;
    readonly admission: Admission;
  },
): Promise<Message> {
  const { store, nonces, now } = ports;
  const jws = attempt(() => parseJws(body), 'badSignatureAlgorithm');
  const { url, nonce, signer: claimed } = jws.header;
  if (url !== expected.url) {
    throw new AcmeError(
      'unauthorized',
      `the message was signed for ${url.slice(0, 200)}, and sent to ${expected.url.slice(0, 200)}`,
    );
  }
  if (expected.signature !== 'either' && (claimed.by === 'kid') !== (expected.signature === 'account')) {
    throw malformed(
      expected.signature === 'account'
        ? 'this takes a "kid", not a "jwk"'
        : 'this takes a "jwk", not a "kid"',
    );
  }
  const signer =
    claimed.by === 'jwk'
      ? byKey(attempt(() => parseJwk(claimed.jwk), 'badPublicKey'))
      : await byAccount(claimed.kid, expected.accountUrl, store);
  const { payload } = attempt(() => verifyJws(jws, signer.jwk.spki), 'badSignatureAlgorithm');
  await nonces.use(nonce, now);
  return { signer, payload };
}

/**
 * RFC 8555 section 7.3.6: "the server MUST NOT accept further requests authorized by that account's key". With its external account key an account ends as well, and
 * is what the RFC calls revoked: who stole it can neither order, nor revoke what its owner has, nor have names looked for.
 */
export function demandPower({ id, status, key }: StoredAccount): void {
  if (status === 'valid' && key.state === 'spent') return;
  const state = status === 'valid' ? 'revoked' : status;
  const reason = status === 'valid' ? `: its external account key is ${key.state}` : '';
  throw new AcmeError('unauthorized', `account ${id} is ${state}${reason}`, {
    status: 401,
    told: `this account is ${state}`,
  });
}

/** The members of a payload that is a JSON object. */
export function payloadOf({ payload }: Pick<Message, 'payload'>): Readonly<Record<string, unknown>> {
  if (payload === null) throw malformed('this takes a payload, and no POST-as-GET');
  return attempt(() => membersOf(parseJson(payload, 'payload'), 'payload'), 'malformed');
}

/** What the account that signed is; for resources that take nothing else. */
export function accountOf({ signer }: Message): StoredAccount {
  if (signer.by === 'account') return signer.account;
  throw malformed('this takes a "kid", not a "jwk"');
}

/** In each entry of what an account does: by its device, an erasure finds what names it. */
export function ownerOf({ id, key }: StoredAccount): { readonly account: string; readonly device: string } {
  return { account: id, device: key.device };
}

function byKey(jwk: Jwk): Extract<Message['signer'], { by: 'key' }> {
  return { by: 'key', jwk, thumbprint: thumbprint(jwk) };
}

async function byAccount(
  kid: string,
  accountUrl: (id: string) => string,
  store: AcmeStore,
): Promise<Extract<Message['signer'], { by: 'account' }>> {
  const id = kid.slice(kid.lastIndexOf('/') + 1);
  const account = /^[A-Za-z0-9_-]{1,64}$/.test(id) && kid === accountUrl(id) ? await store.account(id) : null;
  if (account === null) {
    throw new AcmeError('accountDoesNotExist', `no account is ${kid.slice(0, 200)}`, {
      told: 'there is no such account',
    });
  }
  return { by: 'account', account, jwk: parseJwk(JSON.parse(account.jwk)) };
}

/** The words of src/jose are about what the client sent: it may read them. */
export function attempt<Value>(
  parse: () => Value,
  unsupported: 'badSignatureAlgorithm' | 'badPublicKey' | 'malformed',
  algorithms: readonly string[] = jwsAlgorithms,
): Value {
  try {
    return parse();
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    if (cause.code === 'unsupported' && unsupported === 'badSignatureAlgorithm') {
      // RFC 8555 section 6.2: "The problem document returned with the error MUST include an "algorithms" field with an array of supported "alg" values."
      throw new AcmeError('badSignatureAlgorithm', cause.message, { algorithms, cause });
    }
    if (unsupported === 'badPublicKey') throw new AcmeError('badPublicKey', cause.message, { cause });
    const status = cause.code === 'too-large' ? 413 : 400;
    if (cause.code === 'bad-signature') {
      throw new AcmeError('malformed', cause.message, { status: 400, cause });
    }
    throw new AcmeError('malformed', cause.message, { status, cause });
  }
}
