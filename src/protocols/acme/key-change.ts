import { sha256Hex } from '#enrollment';
import { isSallyportError } from '#errors';
import { membersOf, parseJson, parseJwk, parseJws, thumbprint, verifyJws } from '#jose';
import { accountReply } from './account.ts';
import { accountOf, attempt, type Message, ownerOf } from './message.ts';
import { AcmeError, malformed } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import { accountUrl } from './urls.ts';

/** RFC 8555 section 7.3.5: a message of the old key around one of the new. */
export async function keyChange(message: Message, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const own = accountOf(message);
  const { payload } = message;
  if (payload === null) throw malformed('keyChange takes a payload, and no POST-as-GET');
  const inner = attempt(() => parseJws(payload), 'badSignatureAlgorithm');
  const { url: innerUrl, nonce, signer } = inner.header;
  if (signer.by !== 'jwk') throw malformed('the inner JWS takes a "jwk", not a "kid"');
  if (nonce !== null) throw malformed('the inner JWS must have no nonce');
  if (innerUrl !== exchange.url) throw malformed('the inner JWS was made for another address than the outer');
  const jwk = attempt(() => parseJwk(signer.jwk), 'badPublicKey');
  const verified = attempt(() => verifyJws(inner, jwk.spki), 'badSignatureAlgorithm');
  const change = attempt(
    () => membersOf(parseJson(verified.payload ?? new Uint8Array(), 'payload'), 'payload'),
    'malformed',
  );
  if (change['account'] !== accountUrl(exchange, own.id)) {
    throw malformed('the inner JWS names another account than the one that signed');
  }
  const oldKey = attempt(() => parseJwk(change['oldKey']), 'malformed');
  if (thumbprint(oldKey) !== own.thumbprint) throw malformed('oldKey is not the key of the account');
  const wanted = thumbprint(jwk);
  const holder = await ports.store.accountByKey(wanted);
  if (holder !== null) throw taken(exchange, holder.id);
  const detail = { ...ownerOf(own), oldThumbprint: own.thumbprint, thumbprint: wanted };
  try {
    await ports.store.changeAccountKey({
      id: own.id,
      oldThumbprint: own.thumbprint,
      thumbprint: wanted,
      jwk: jwk.canonical,
      spki: sha256Hex(jwk.spki),
      entry: ports.enrollment.entryOf(exchange.admission, detail),
    });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    throw taken(exchange, own.id);
  }
  return accountReply({ ...own, thumbprint: wanted }, exchange, 200);
}

/** "the server SHOULD use status code 409 (Conflict) and provide the URL of that account in the Location header field." */
function taken(exchange: Exchange, holder: string): AcmeError {
  const words = 'another account has this key, or the account has another one now';
  return new AcmeError('malformed', words, {
    status: 409,
    headers: { Location: accountUrl(exchange, holder) },
  });
}
