import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64Url, encodeBase64Url } from '#jose';
import { isSallyportError } from '#errors';
import { assertRefused } from './jose.fixture.ts';

suite('base64url (RFC 7515 section 2)', () => {
  test('the example of appendix C', () => {
    const octets = Uint8Array.of(3, 236, 255, 224, 193);
    assert.equal(encodeBase64Url(octets), 'A-z_4ME');
    assert.deepEqual(decodeBase64Url('A-z_4ME', 'it'), octets);
  });

  test('what is decoded is what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(encodeBase64Url(bytes), Buffer.from(bytes).toString('base64url'));
        assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes), 'it'), bytes);
      }),
    );
  });

  test('any other text is malformed, or the only spelling of its octets', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('A', 'z', '0', '-', '_', '+', '/', '=', ' ', '\n', 'é') }),
    );
    fc.assert(
      fc.property(text, (text) => {
        try {
          assert.equal(encodeBase64Url(decodeBase64Url(text, 'it')), text);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed'), String(error));
        }
      }),
    );
  });

  const wrong: Readonly<Record<string, string>> = {
    padding: 'A-z_4ME=',
    'a line break': 'A-z_\n4ME',
    'a space': 'A-z_ 4ME',
    'the alphabet of base64': 'A+z/4ME',
    'bits after the last octet': 'A-z_4MF',
    'a lone character at the end': 'A-z_4',
    'a character of no alphabet': 'A-z_4M€',
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`${what} is malformed`, () => {
      assertRefused('malformed', () => decodeBase64Url(text, 'it'), /^it is not base64url/);
    });
  }
});
