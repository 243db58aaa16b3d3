import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey } from 'node:crypto';
import { suite, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { FlattenedSign } from 'jose';
import { isSallyportError } from '#errors';
import { type Members, encodeBase64Url, parseJws, parseMacJws, verifyJws, verifyMac } from '#jose';
import { assertRefused, binding, bytesOf, encodeText, request, signingKey } from './jose.fixture.ts';

const key = createSecretKey(new Uint8Array(32).fill(3));
const url = 'https://example.test/acme/new-account';

suite('an external account binding (RFC 8555 section 7.3.4)', () => {
  test('what another library makes is read and verified', async () => {
    const { jwk } = signingKey('ES256');
    const made = await new FlattenedSign(bytesOf(jwk))
      .setProtectedHeader({ alg: 'HS256', kid: 'kid-1', url })
      .sign(key);
    const jws = parseMacJws(made);
    assert.deepEqual(jws.header, { alg: 'HS256', kid: 'kid-1', url });
    const { header, payload } = verifyMac(jws, key);
    assert.deepEqual(header, jws.header);
    assert.deepEqual(payload, bytesOf(jwk));
  });

  test('a key of more than 256 bits', () => {
    const long = createSecretKey(new Uint8Array(64).fill(3));
    verifyMac(parseMacJws(binding(long)), long);
  });

  test('before it is verified its payload is nowhere to be read', () => {
    const jws = parseMacJws(binding(key));
    assert.deepEqual(Object.keys(jws), ['header']);
    assert.doesNotMatch(inspect(jws, { depth: null, showHidden: true }), /payload|signature/);
  });

  test('the types of a binding and of a request are not each other', () => {
    const ec = signingKey('ES256');
    const [mac, jws] = [parseMacJws(binding(key)), parseJws(bytesOf(request(ec)))];
    // @ts-expect-error A binding is no request.
    assert.throws(() => verifyJws(mac, ec.spki), TypeError);
    // @ts-expect-error A request is no binding.
    assert.throws(() => verifyMac(jws, key), TypeError);
    // @ts-expect-error A public key's octets are no MAC key.
    assertRefused('internal', () => verifyMac(mac, ec.spki));
  });
});

suite('verifyMac refuses', () => {
  const flattened = binding(key);
  const mac = new Uint8Array(Buffer.from(flattened.signature, 'base64url'));
  const wrong: Readonly<Record<string, Members>> = {
    'another payload': { payload: encodeText('{"kty":"EC"}') },
    'another protected header': { protected: binding(key, { kid: 'kid-2' }).protected },
    'one bit of the MAC': { signature: encodeBase64Url(mac.with(0, (mac[0] ?? 0) ^ 1)) },
    'a MAC cut short': { signature: encodeBase64Url(mac.subarray(0, 16)) },
    'no MAC': { signature: '' },
    'a MAC with more behind it': { signature: encodeBase64Url(Uint8Array.of(...mac, 0)) },
    'HS512 under the name of HS256': { signature: binding(key, {}, 'sha512').signature },
  };
  for (const [what, changes] of Object.entries(wrong)) {
    test(what, () => {
      const jws = parseMacJws({ ...flattened, ...changes });
      assertRefused('bad-signature', () => verifyMac(jws, key));
    });
  }

  test('another key', () => {
    const other = createSecretKey(new Uint8Array(32).fill(4));
    assertRefused('bad-signature', () => verifyMac(parseMacJws(flattened), other));
  });

  test('a key of 248 bits, and a public one, as faults of ours', () => {
    const short = createSecretKey(new Uint8Array(31).fill(3));
    const spki = Buffer.from(signingKey('ES256').spki);
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    for (const wrongKey of [short, publicKey]) {
      assertRefused('internal', () => verifyMac(parseMacJws(binding(short)), wrongKey));
    }
  });
});

suite('parseMacJws refuses', () => {
  for (const alg of ['none', 'ES256', 'HS1', 'HS384', 'HS512', 'hs256']) {
    test(`alg ${alg} as unsupported`, () => {
      assertRefused('unsupported', () => parseMacJws(binding(key, { alg })));
    });
  }

  const headers: Readonly<Record<string, Members>> = {
    'no alg': { alg: undefined },
    'a nonce': { nonce: 'Tm9uY2U' },
    'a jwk': { jwk: {} },
    'no kid': { kid: undefined },
    'a kid that is no text': { kid: 1 },
    'no url': { url: undefined },
    crit: { crit: ['kid'] },
    b64: { b64: true },
  };
  for (const [what, header] of Object.entries(headers)) {
    test(`${what} in the protected header`, () => {
      assertRefused('malformed', () => parseMacJws(binding(key, header)));
    });
  }

  test('an unprotected header, a list of signatures and what is no object', () => {
    for (const value of [
      { ...binding(key), header: {} },
      { ...binding(key), signatures: [] },
      null,
      [],
      'a',
    ]) {
      assertRefused('malformed', () => parseMacJws(value));
    }
  });

  test('more than 65,536 characters as too large', () => {
    assertRefused('too-large', () => parseMacJws({ ...binding(key), payload: 'A'.repeat(65_536) }));
  });

  test('arbitrary values, or take them, and throw nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.object().map((value) => ({ ...binding(key), ...value })),
        ),
        (value) => {
          try {
            parseMacJws(value);
          } catch (error) {
            assert.ok(isSallyportError(error, 'malformed', 'unsupported'), String(error));
          }
        },
      ),
    );
  });
});
