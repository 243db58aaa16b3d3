import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { suite, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { FlattenedSign } from 'jose';
import { isSallyportError } from '#errors';
import {
  type Members,
  encodeBase64Url,
  jwsAlgorithms,
  parseJson,
  parseJwk,
  parseJws,
  verifyJws,
} from '#jose';
import {
  type Flattened,
  assertRefused,
  binding,
  bytesOf,
  encodeText,
  headerOf,
  request,
  signedTexts,
  signingKey,
} from './jose.fixture.ts';

const key = signingKey('ES256');
const url = 'https://example.test/acme/new-account';

function parse(flattened: unknown) {
  return parseJws(bytesOf(flattened));
}

function textOf(payload: Uint8Array | null): string | null {
  return payload === null ? null : new TextDecoder().decode(payload);
}

suite('a JWS (RFC 8555 section 6.2)', () => {
  for (const alg of jwsAlgorithms) {
    test(`${alg}: what another library signs is read and verified`, async () => {
      const { privateKey, jwk, spki } = signingKey(alg);
      const header = { alg, jwk, nonce: 'Tm9uY2U', url };
      const signed = await new FlattenedSign(new TextEncoder().encode('{"contact":[]}'))
        .setProtectedHeader(header)
        .sign(privateKey);
      const jws = parse(signed);
      assert.deepEqual(jws.header, { alg, url, nonce: 'Tm9uY2U', signer: { by: 'jwk', jwk } });
      assert.deepEqual(parseJwk(jwk).spki, spki);
      const { header: verified, payload } = verifyJws(jws, spki);
      assert.deepEqual(verified, jws.header);
      assert.equal(textOf(payload), '{"contact":[]}');
    });
  }

  test('a kid in place of the JWK', () => {
    const kid = 'https://example.test/acme/acct/evOfKhNU60wg';
    const { header } = parse(request(key, { jwk: undefined, kid }));
    assert.deepEqual(header.signer, { by: 'kid', kid });
  });

  test('without a nonce, as the inner one of a key change', () => {
    assert.equal(parse(request(key, { nonce: undefined })).header.nonce, null);
  });

  test('section 6.3: no payload is POST-as-GET, and the empty object is not', () => {
    assert.equal(verifyJws(parse(request(key, {}, '')), key.spki).payload, null);
    assert.equal(textOf(verifyJws(parse(request(key, {}, '{}')), key.spki).payload), '{}');
  });

  test('members and parameters that are not understood are ignored (RFC 7515 sections 4 and 7.2.1)', () => {
    const flattened = request(key, { typ: 'JOSE', x5u: 'http://example.test', jku: 1, 'a:b': null });
    verifyJws(parse({ ...flattened, more: 1 }), key.spki);
  });

  test('any payload comes out as it went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (payload) => {
        assert.equal(textOf(verifyJws(parse(request(key, {}, payload)), key.spki).payload), payload);
      }),
      { numRuns: 50 },
    );
  });

  test('before it is verified its payload is nowhere to be read', () => {
    const jws = parse(request(key, {}, '{"hidden":true}'));
    // @ts-expect-error The type has no payload.
    assert.equal(jws.payload, undefined);
    assert.deepEqual(Object.keys(jws), ['header']);
    assert.doesNotMatch(inspect(jws, { depth: null, showHidden: true }), /payload|hidden|signature/);
    assert.doesNotMatch(JSON.stringify(jws), /payload|hidden|signature/);
  });
});

suite('verifyJws refuses', () => {
  const flattened = request(key);
  const wrong: Readonly<Record<string, Flattened>> = {
    'another payload': { ...flattened, payload: encodeText('{"termsOfServiceAgreed":false}') },
    'another protected header': { ...flattened, protected: request(key, { url: `${url}s` }).protected },
    'the signature of another payload': { ...flattened, signature: request(key, {}, '{}').signature },
    'an empty signature': { ...flattened, signature: '' },
    'an algorithm of another key': request(key, { alg: 'ES384' }),
  };
  for (const [what, changed] of Object.entries(wrong)) {
    test(what, () => {
      const jws = parse(changed);
      assertRefused('bad-signature', () => verifyJws(jws, key.spki));
    });
  }

  test('another key of the same kind', () => {
    assertRefused('bad-signature', () => verifyJws(parse(flattened), signingKey('ES256').spki));
  });
});

suite('parseJws refuses', () => {
  for (const alg of [
    'none',
    'HS256',
    'HS384',
    'RS1',
    'RS384',
    'PS256',
    'ES512',
    'ES256K',
    'es256',
    'toString',
    'Ed448',
  ]) {
    test(`alg ${alg} as unsupported`, () => {
      assertRefused('unsupported', () => parse(request(key, { alg })), /alg is none of ES256/);
    });
  }

  test('a MAC by the public key (key confusion) as unsupported', () => {
    assertRefused('unsupported', () => parse(binding(createSecretKey(key.spki))));
  });

  const headers: Readonly<Record<string, Members>> = {
    'no alg': { alg: undefined },
    'an alg that is no text': { alg: ['ES256'] },
    'no url': { url: undefined },
    'an url that is no text': { url: { href: url } },
    'an empty url': { url: '' },
    'an url with a line break': { url: `${url}\nx` },
    'an url that is not ASCII': { url: 'https://example.test/é' },
    'a nonce that is no text': { nonce: 1 },
    'a nonce that is null': { nonce: null },
    'an empty nonce': { nonce: '' },
    'a nonce that is not base64url': { nonce: 'a+b/' },
    'a nonce with stray bits': { nonce: 'Tm9uY2V' },
    'a jwk and a kid': { kid: 'https://example.test/acme/acct/1' },
    'a jwk and a kid that is null': { kid: null },
    'neither jwk nor kid': { jwk: undefined },
    'a kid that is no text': { jwk: undefined, kid: 1 },
    'an empty kid': { jwk: undefined, kid: '' },
    crit: { crit: ['url'] },
    'an empty crit': { crit: [] },
    'b64 of false': { b64: false },
    'b64 of true': { b64: true },
  };
  for (const [what, header] of Object.entries(headers)) {
    test(`${what} in the protected header`, () => {
      assertRefused('malformed', () => parse(request(key, header)));
    });
  }

  for (const name of ['url', 'nonce', 'kid']) {
    test(`${name} of 2052 characters as too large, and not of 2048`, () => {
      const others = name === 'kid' ? { jwk: undefined } : {};
      parse(request(key, { ...others, [name]: 'A'.repeat(2048) }));
      assertRefused('too-large', () => parse(request(key, { ...others, [name]: 'A'.repeat(2052) })));
    });
  }

  test('a parameter that is there twice, signed or not', () => {
    const header = JSON.stringify(headerOf(key));
    const twice = `{"alg":"none",${header.slice(1)}`;
    assertRefused('malformed', () => parse(signedTexts(key, twice, '{}')), /one name twice/);
  });

  test('a protected header that is no object', () => {
    for (const header of ['[]', 'null', '"ES256"', '', '{']) {
      assertRefused('malformed', () => parse(signedTexts(key, header, '{}')), /protected header/);
    }
  });

  const flattened = request(key);
  const outer: Readonly<Record<string, Members>> = {
    'no protected header': { protected: undefined },
    'a protected header that is an object': { protected: headerOf(key) },
    'a detached payload': { payload: undefined },
    'a payload that is an object': { payload: {} },
    'no signature': { signature: undefined },
    'an unprotected header': { header: { kid: '1' } },
    'an empty unprotected header': { header: {} },
    'a list of signatures': { signatures: [] },
    'a protected header with padding': { protected: `${flattened.protected}=` },
    'a payload with padding': { payload: 'e30=' },
    'a signature with padding': { signature: `${flattened.signature}==` },
    'a signature with stray bits': { signature: flattened.signature.replace(/.$/, '_') },
  };
  for (const [what, members] of Object.entries(outer)) {
    test(what, () => assertRefused('malformed', () => parse({ ...flattened, ...members })));
  }

  test('the compact serialization, a list and no JSON at all', () => {
    const { protected: header, payload, signature } = flattened;
    const compact = `${header}.${payload}.${signature}`;
    for (const bytes of [bytesOf(compact), Buffer.from(compact), bytesOf([flattened]), new Uint8Array()]) {
      assertRefused('malformed', () => parseJws(bytes));
    }
  });

  test('a member that is there twice', () => {
    const text = JSON.stringify(flattened);
    const bytes = new TextEncoder().encode(`{"payload":"",${text.slice(1)}`);
    assertRefused('malformed', () => parseJws(bytes), /one name twice/);
  });

  test('more than 65,536 octets as too large', () => {
    assertRefused('too-large', () => parse(request(key, {}, 'x'.repeat(50_000))));
  });
});

suite('arbitrary input', () => {
  test('arbitrary members give a JWS or a typed error', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.jsonValue({ maxDepth: 2 }),
      fc.jsonValue({ maxDepth: 2 }).map((value) => encodeText(JSON.stringify(value))),
    );
    const header = fc
      .dictionary(
        fc.constantFrom('alg', 'jwk', 'kid', 'url', 'nonce', 'crit'),
        fc.jsonValue({ maxDepth: 1 }),
        {
          noNullPrototype: true,
        },
      )
      .map((changes) => request(key, changes));
    const members = fc.dictionary(fc.constantFrom('protected', 'payload', 'signature', 'header'), texts, {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(header, members, (flattened, changes) => {
        try {
          verifyJws(parse({ ...flattened, ...changes }), key.spki);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'bad-signature'), String(error));
        }
      }),
    );
  });

  test('one octet changed of the body never gives another payload', () => {
    const body = bytesOf(request(key));
    const payload = verifyJws(parseJws(body), key.spki).payload;
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        try {
          const changed = parseJws(body.with(at, (body[at] ?? 0) ^ change));
          assert.deepEqual(verifyJws(changed, key.spki).payload, payload);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'bad-signature'), String(error));
        }
      }),
    );
  });

  test('a payload that is a JWS itself is parsed as one (section 7.3.5)', () => {
    const newKey = signingKey('EdDSA');
    const inner = request(newKey, { nonce: undefined }, '{"account":"a","oldKey":{}}');
    const outer = verifyJws(parse(request(key, {}, JSON.stringify(inner))), key.spki);
    const { payload } = verifyJws(parseJws(outer.payload ?? assert.fail()), newKey.spki);
    assert.deepEqual(parseJson(payload ?? assert.fail(), 'it'), { account: 'a', oldKey: {} });
    assert.equal(encodeBase64Url(new Uint8Array()), '');
  });
});
