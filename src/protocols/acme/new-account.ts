import { createSecretKey } from 'node:crypto';
import { type MacKey, sha256Hex, unseal } from '#enrollment';
import { isSallyportError } from '#errors';
import { parseJson, parseJwk, parseMacJws, thumbprint, verifyMac } from '#jose';
import { accountReply } from './account.ts';
import { isWithoutKey } from './directory.ts';
import { contactOf } from './contact.ts';
import { attempt, demandPower, type Message, ownerOf, payloadOf } from './message.ts';
import { AcmeError, malformed } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { ExternalAccountKey } from './store.ts';
import { newId } from './urls.ts';

/** RFC 8555 section 7.3. Who was given no external account key has an account where evidence is to say whose it is, and is nobody until then. */
export async function newAccount(message: Message, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const { signer } = message;
  if (signer.by !== 'key') throw malformed('newAccount takes a "jwk", not a "kid"');
  const payload = payloadOf(message);
  const existing = await ports.store.accountByKey(signer.thumbprint);
  if (existing !== null) {
    demandPower(existing);
    return accountReply(existing, exchange, 200);
  }
  if (payload['onlyReturnExisting'] === true) {
    throw new AcmeError('accountDoesNotExist', 'no account has this key');
  }
  const contact = contactOf(payload['contact']);
  const { externalAccountBinding: binding = null } = payload;
  const key =
    binding === null && isWithoutKey(exchange, ports)
      ? null
      : await boundKey(binding, signer.thumbprint, exchange.url, ports);
  const now = ports.now();
  const id = newId(ports.random);
  const { jwk } = signer;
  const account = {
    id,
    externalAccountKey: key?.id ?? null,
    thumbprint: signer.thumbprint,
    jwk: jwk.canonical,
    spki: sha256Hex(jwk.spki),
    contact,
  };
  const detail = {
    ...ownerOf({ id, device: key?.device ?? null }),
    externalAccountKey: account.externalAccountKey,
    thumbprint: signer.thumbprint,
    contact,
  };
  const entry = ports.enrollment.entryOf(exchange.admission, detail);
  try {
    await ports.store.createAccount({ account, now, entry });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    // The same key came twice at once, or the external account key was spent meanwhile.
    const twin = await ports.store.accountByKey(signer.thumbprint);
    if (twin?.status === 'valid' && twin.externalAccountKey === account.externalAccountKey) {
      return accountReply(twin, exchange, 200);
    }
    throw unbound(error.message);
  }
  // Section 7.3.4: "The account object the CA returns MUST include an "externalAccountBinding" field with the same value as the field in the request."
  const made = binding === null ? {} : { externalAccountBinding: binding };
  return accountReply((await ports.store.account(id))!, exchange, 201, made);
}

/** RFC 8555 section 7.3.4. What is wrong, the log says; a client learns that something is. */
async function boundKey(
  binding: unknown,
  accountThumbprint: string,
  url: string,
  ports: AcmePorts,
): Promise<ExternalAccountKey> {
  if (binding === null) {
    throw new AcmeError('externalAccountRequired', 'an account needs an external account key here');
  }
  const jws = attempt(() => parseMacJws(binding), 'badSignatureAlgorithm', ['HS256']);
  const { kid, url: signedUrl } = jws.header;
  if (signedUrl !== url) throw unbound(`the binding was made for ${signedUrl.slice(0, 200)}`);
  const { macKeys } = ports.authority();
  const key = await ports.store.externalAccountKey(kid);
  let verified;
  try {
    verified = verifyMac(jws, createSecretKey(macKeyOf(key, macKeys, ports.random)));
  } catch (error) {
    if (!isSallyportError(error, 'bad-signature')) throw error;
    throw unbound(
      key === null
        ? 'no external account key has this identifier'
        : `the MAC is not by external account key ${key.id}`,
    );
  }
  if (key === null) throw unbound('no external account key has this identifier');
  const bound = attempt(() => parseJwk(parseJson(verified.payload, 'externalAccountBinding')), 'malformed');
  if (thumbprint(bound) !== accountThumbprint) throw unbound('the binding is of another account key');
  if (key.state !== 'live') throw unbound(`external account key ${key.id} is ${key.state}`);
  if (ports.now() >= key.expiresAt) throw unbound(`external account key ${key.id} has expired`);
  return key;
}

/** For an identifier that nobody was given the same is done, with a key that nobody has. */
function macKeyOf(
  key: ExternalAccountKey | null,
  macKeys: readonly MacKey[],
  random: (n: number) => Uint8Array,
): Uint8Array {
  return key === null ? random(32) : unseal(key.sealed, key.id, key.sealingKey, macKeys);
}

function unbound(message: string): AcmeError {
  return new AcmeError('unauthorized', message, { told: 'the external account binding is not valid' });
}
