import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { assertRefused } from './malformed.fixture.ts';
import { derToPem, pemToDer } from './pem.ts';

const label = 'CERTIFICATE';

suite('PEM (RFC 7468)', () => {
  test('parse(encode(bytes)) is bytes, in lines of 64 columns', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const pem = derToPem(bytes, label);
        assert.deepEqual(pemToDer(pem, label), [bytes]);
        assert.ok(pem.split('\n').every((line) => line.length <= 64));
      }),
    );
  });

  test('several blocks come in order; text and other labels are passed over', () => {
    const text = `subject=x\n${derToPem(Uint8Array.of(1), label)}${derToPem(Uint8Array.of(9), 'PRIVATE KEY')}\r\n${derToPem(Uint8Array.of(2), label)}`;
    assert.deepEqual(pemToDer(text, label), [Uint8Array.of(1), Uint8Array.of(2)]);
  });

  test('Windows newlines and missing ones are read', () => {
    assert.deepEqual(
      pemToDer(derToPem(Uint8Array.of(1, 2), label).replaceAll('\n', '\r\n'), label).length,
      1,
    );
    assert.deepEqual(pemToDer(derToPem(Uint8Array.of(1, 2), label).replaceAll('\n', ''), label).length, 1);
  });

  test('section 7: NEW CERTIFICATE REQUEST is a CERTIFICATE REQUEST', () => {
    const pem = derToPem(Uint8Array.of(1), 'NEW CERTIFICATE REQUEST');
    assert.deepEqual(pemToDer(pem, 'CERTIFICATE REQUEST'), [Uint8Array.of(1)]);
  });

  const refused: Readonly<Record<string, string>> = {
    'no block': 'hello',
    'only another label': derToPem(Uint8Array.of(1), 'X509 CRL'),
    'no end': `-----BEGIN ${label}-----\nAAAA\n`,
    'the end of another label': `-----BEGIN ${label}-----\nAAAA\n-----END X509 CRL-----`,
    'a block inside a block': `-----BEGIN ${label}-----\nAAAA\n${derToPem(Uint8Array.of(1), label)}`,
    'no content': `-----BEGIN ${label}-----\n-----END ${label}-----`,
    'a character outside of base64': `-----BEGIN ${label}-----\nAA_A\n-----END ${label}-----`,
    'missing padding': `-----BEGIN ${label}-----\nAAA\n-----END ${label}-----`,
    'bits after the last octet': `-----BEGIN ${label}-----\nAAB=\n-----END ${label}-----`,
    'headers of an encrypted key': `-----BEGIN ${label}-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END ${label}-----`,
  };
  for (const [what, text] of Object.entries(refused)) {
    test(`${what} is refused`, () => assertRefused('malformed', () => pemToDer(text, label)));
  }

  test('more than 1024 blocks and texts over 4 MiB are too large', () => {
    assertRefused('too-large', () => pemToDer(derToPem(Uint8Array.of(1), label).repeat(1025), label));
    assertRefused('too-large', () => pemToDer(' '.repeat(4 * 1024 * 1024 + 1), label));
  });

  test('a text of beginnings takes no time', () => {
    assertRefused('malformed', () => pemToDer('-----BEGIN '.repeat(300_000), label));
  });
});
