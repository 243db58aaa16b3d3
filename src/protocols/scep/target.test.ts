import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { decodeGetMessage, parseTarget } from './target.ts';

describe('the address of a request', () => {
  for (const [path, label] of [
    ['/scep', null],
    ['/scep/', null],
    ['/scep/device', 'device'],
    ['/scep/device/pkiclient.exe', 'device'],
    ['http://ca.example.org/scep/device/x', 'device'],
    ['/scep/cgi-bin/pkiclient.exe', 'cgi-bin'],
    ['/certsrv/mscep/mscep.dll', null],
    ['/other/scep/device', null],
    ['/scep/x/%2e%2e/y', 'x'],
  ]) {
    test(`${path} is one, whatever follows the base`, () => {
      assert.deepEqual(parseTarget('GET', `${path}?operation=GetCACaps`), {
        operation: 'GetCACaps',
        label,
        message: null,
      });
    });
  }

  test('names an operation, exactly', () => {
    for (const operation of ['GetCACaps', 'GetCACert', 'GetNextCACert', 'PKIOperation'] as const) {
      assert.equal(parseTarget('GET', `/scep?operation=${operation}&message=x`).operation, operation);
    }
    for (const other of ['getcacaps', 'GetCACaps ', 'GetCACapsX', '', 'constructor']) {
      assert.equal(parseTarget('GET', `/scep?operation=${other}`).operation, null);
    }
    assert.equal(parseTarget('GET', '/scep').operation, null);
  });

  test('of a POST may leave it out', () => {
    assert.equal(parseTarget('POST', '/scep').operation, 'PKIOperation');
    assert.equal(parseTarget('POST', '/scep?message=').operation, 'PKIOperation');
    assert.equal(parseTarget('POST', '/scep?operation=GetCACert').operation, 'GetCACert');
  });

  test('has a message, or none, an empty one among them', () => {
    assert.equal(parseTarget('GET', '/scep?operation=GetCACert').message, null);
    assert.equal(parseTarget('GET', '/scep?operation=GetCACert&message').message, '');
    assert.equal(parseTarget('GET', '/scep?operation=GetCACert&message=').message, '');
    assert.equal(parseTarget('GET', '/scep?message=a%2Bb+c&operation=GetCACert').message, 'a%2Bb+c');
  });

  test('that says one thing twice is refused', () => {
    for (const query of [
      'operation=GetCACaps&operation=PKIOperation',
      'operation=PKIOperation&message=a&message=b',
    ]) {
      assert.throws(() => parseTarget('GET', `/scep?${query}`), { code: 'malformed', message: /twice/ });
    }
  });
});

describe('the message of a GET', () => {
  const octets = randomBytes(300);
  const base64 = octets.toString('base64');
  const forms: Readonly<Record<string, string>> = {
    'as a URL has it': encodeURIComponent(base64),
    'with plain plus, slash and padding, as macOS sends it': base64,
    'with a space for each plus': base64.replaceAll('+', ' '),
    'in lines, as strongSwan sends it': base64
      .replaceAll(/.{64}/g, '$&\n')
      .replaceAll('+', '%2B')
      .replaceAll('\n', '%0A'),
    'in lines of CRLF': encodeURIComponent(base64.replaceAll(/.{64}/g, '$&\r\n')),
    'without padding': encodeURIComponent(randomBytes(0).toString('base64') + base64.replace(/=+$/, '')),
  };
  for (const [form, text] of Object.entries(forms)) {
    test(`is read ${form}`, () => assert.deepEqual(Buffer.from(decodeGetMessage(text)), octets));
  }

  test('of any length is read with padding and without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        for (const each of [text, text.replace(/=+$/, '')]) {
          assert.deepEqual(decodeGetMessage(each), new Uint8Array(bytes));
        }
      }),
    );
  });

  for (const text of ['%', '%zz', 'a-b_', 'ä', 'a=b=', 'AAAA====', 'A', '%41%00']) {
    test(`${text} is none`, () => assert.throws(() => decodeGetMessage(text), { code: 'malformed' }));
  }

  test('is octets or a typed error, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        try {
          decodeGetMessage(text);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed'), String(error));
        }
      }),
    );
  });
});
