import { isSallyportError } from '#errors';
import {
  type Jwk,
  type Jws,
  jwsAlgorithms,
  membersOf,
  parseJson,
  parseJwk,
  parseJws,
  thumbprint,
  verifyJws,
} from '#jose';
import type { AccountKeys } from './account-keys.ts';
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

/** With what the address names, read with the account that asks for it. Whose it is, the resource says. */
export type About<Found> = Message & { readonly found: Found };

export interface MessagePorts {
  readonly store: AcmeStore;
  readonly nonces: Nonces;
  readonly keys: AccountKeys;
  readonly now: number;
}

/**
 * RFC 8555 sections 6.2 to 6.5. The nonce is used last, once the rest has shown that it is worth a write: what fails before could fail again with the same one.
 * `find` is asked for a message whose signature holds, and never for another.
 * @throws AcmeError
 */
export async function readMessage<Found>(
  body: Uint8Array,
  expected: {
    readonly url: string;
    readonly accountUrl: (id: string) => string;
    readonly signature: Signature;
  },
  ports: MessagePorts,
  find: (store: AcmeStore) => Promise<Found>,
): Promise<About<Found>> {
  const jws = attempt(() => parseJws(body), 'badSignatureAlgorithm');
  const { url, signer: claimed } = jws.header;
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
  if (claimed.by === 'kid') {
    const id = claimed.kid.slice(claimed.kid.lastIndexOf('/') + 1);
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id) || claimed.kid !== expected.accountUrl(id)) {
      throw noAccount(claimed.kid);
    }
    return byAccount(jws, id, ports, find);
  }
  const jwk = attempt(() => parseJwk(claimed.jwk), 'badPublicKey');
  const { payload } = attempt(() => verifyJws(jws, jwk.spki), 'badSignatureAlgorithm');
  const [found] = await Promise.all([find(ports.store), ports.nonces.use(jws.header.nonce, ports.now)]);
  return { signer: { by: 'key', jwk, thumbprint: thumbprint(jwk) }, payload, found };
}

/**
 * Where the signature holds by the key that the account had when it was last seen, the account, the nonce and what is asked for are one message to the store. It
 * counts by the key that the account has now.
 */
async function byAccount<Found>(
  jws: Jws,
  id: string,
  { store, nonces, keys, now }: MessagePorts,
  find: (store: AcmeStore) => Promise<Found>,
): Promise<About<Found>> {
  const use = () => Promise.all([find(store), nonces.use(jws.header.nonce, now)]);
  const kept = keys.of(id);
  const early = kept === null ? null : check(jws, kept);
  const using = early === null || 'error' in early ? null : use();
  // Heard below, unless the account comes first with what is wrong.
  using?.catch(() => undefined);
  const account = await store.account(id);
  if (account === null) throw noAccount(id);
  const jwk = keys.keep(account);
  const checked = early !== null && jwk === kept ? early : check(jws, jwk);
  if ('error' in checked) throw checked.error;
  const [found] = await (using ?? use());
  return { signer: { by: 'account', account, jwk }, payload: checked.payload, found };
}

function check(
  jws: Jws,
  { spki }: Jwk,
): { readonly payload: Uint8Array | null } | { readonly error: unknown } {
  try {
    return attempt(() => verifyJws(jws, spki), 'badSignatureAlgorithm');
  } catch (error) {
    return { error };
  }
}

function noAccount(kid: string): AcmeError {
  return new AcmeError('accountDoesNotExist', `no account is ${kid.slice(0, 200)}`, {
    told: 'there is no such account',
  });
}

/**
 * RFC 8555 section 7.3.6: "the server MUST NOT accept further requests authorized by that account's key". With its external account key an account ends as well, and
 * is what the RFC calls revoked: who stole it can neither order, nor revoke what its owner has, nor have names looked for.
 */
export function demandPower({ id, status, key }: StoredAccount): void {
  if (hasPower({ status, key })) return;
  const state = status === 'valid' ? 'revoked' : status;
  const reason = status === 'valid' ? `: its external account key is ${key?.state}` : '';
  throw new AcmeError('unauthorized', `account ${id} is ${state}${reason}`, {
    status: 401,
    told: `this account is ${state}`,
  });
}

export function hasPower({ status, key }: Pick<StoredAccount, 'status' | 'key'>): boolean {
  return status === 'valid' && (key === null || key.state === 'spent');
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

/** In each entry of what an account does: by its device, or by the account where that was nobody's yet, an erasure finds what names it. */
export function ownerOf({ id, device }: Pick<StoredAccount, 'id' | 'device'>): {
  readonly account: string;
  readonly device?: string;
} {
  return { account: id, ...(device === null ? {} : { device }) };
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
