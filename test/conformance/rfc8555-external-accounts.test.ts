import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { accountKey, type AcmeClient, flattened, type Json } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { problemOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const agreed = { termsOfServiceAgreed: true };

describe('RFC 8555, section 7.3.4, external accounts:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });

  const register = (client: AcmeClient, externalAccountBinding: unknown) =>
    client.post(client.directory['newAccount']!, { ...agreed, externalAccountBinding }, { by: 'jwk' });

  test('the directory says that one is required, and newAccount without is externalAccountRequired', async () => {
    const client = await authority.client();
    assert.equal(client.meta['externalAccountRequired'], true);
    assert.deepEqual(problemOf(await register(client, undefined)), [403, 'externalAccountRequired']);
  });

  test('the account that is made shows the binding as it was sent', async () => {
    const client = await authority.client();
    const binding = client.binding(await authority.eab());
    const made = await register(client, binding);
    assert.equal(made.status, 201);
    assert.deepEqual(made.body['externalAccountBinding'], binding);
  });

  test('the MAC key is shown in base64url, and its identifier is ASCII', async () => {
    const { keyId, hmacKey } = await authority.eab();
    assert.match(keyId, /^[!-~]+$/);
    assert.match(hmacKey, /^[A-Za-z0-9_-]{43,}$/);
  });

  describe('a binding is refused, and the key stays good, where', () => {
    const signed = (header: Json, payload: unknown, hmacKey: string) => {
      const [head, body] = [encode(header), encode(payload)];
      const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${head}.${body}`);
      return { protected: head, payload: body, signature: mac.digest('base64url') };
    };
    type Given = { keyId: string; hmacKey: string };
    const cases: [string, string, (client: AcmeClient, given: Given, right: Json) => unknown][] = [
      ['it is no object', 'malformed', () => 'x'],
      [
        'it is a JWS with an unprotected header',
        'malformed',
        (client, given) => ({ ...client.binding(given), header: {} }),
      ],
      [
        'its alg is no MAC',
        'badSignatureAlgorithm',
        (client, { keyId }, right) =>
          flattened({ ...right, alg: 'ES256', kid: keyId }, JSON.stringify(client.key.jwk), client.key),
      ],
      ['its alg is none', 'badSignatureAlgorithm', (client, given) => client.binding(given, { alg: 'none' })],
      [
        'it has a nonce',
        'malformed',
        (client, { hmacKey }, right) => signed({ ...right, nonce: 'AAAA' }, client.key.jwk, hmacKey),
      ],
      [
        'it has no kid',
        'malformed',
        (client, { hmacKey }, right) => signed({ ...right, kid: undefined }, client.key.jwk, hmacKey),
      ],
      [
        'its url is not that of the outer JWS',
        'unauthorized',
        (client, given) => client.binding(given, { url: client.directory['newOrder']! }),
      ],
      [
        'its kid was given to nobody',
        'unauthorized',
        (client, { hmacKey }) => client.binding({ keyId: 'nobody', hmacKey }),
      ],
      [
        'its MAC is by another key',
        'unauthorized',
        (client, { keyId }) => client.binding({ keyId, hmacKey: Buffer.alloc(32).toString('base64url') }),
      ],
      [
        'its payload is another key',
        'unauthorized',
        (client, given) => client.binding(given, { jwk: accountKey().jwk }),
      ],
      ['its payload is no key', 'malformed', (_, { hmacKey }, right) => signed(right, {}, hmacKey)],
    ];
    for (const [name, type, make] of cases) {
      test(name, async () => {
        const client = await authority.client();
        const given = await authority.eab();
        const right = { alg: 'HS256', kid: given.keyId, url: client.directory['newAccount']! };
        const refused = await register(client, make(client, given, right));
        assert.equal(problemOf(refused)[1], type, refused.text);
        if (type === 'badSignatureAlgorithm') assert.deepEqual(refused.body['algorithms'], ['HS256']);
        assert.equal((await register(client, client.binding(given))).status, 201);
      });
    }
  });

  test('one key makes one account', async () => {
    const given = await authority.eab();
    const [first, second] = [await authority.client(), await authority.client()];
    assert.equal((await register(first, first.binding(given))).status, 201);
    assert.deepEqual(problemOf(await register(second, second.binding(given))), [403, 'unauthorized']);
  });
});
