import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { der, derToPem } from '#x509';
import { encodeKeyFile, isKeyFile, parseKeyFile } from './key-file.ts';

const blob = fc.uint8Array({ minLength: 1, maxLength: 300 });

suite('TSS2 PRIVATE KEY', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(blob, blob, (publicArea, privateArea) => {
        const pem = encodeKeyFile({ publicArea, privateArea });
        assert.ok(isKeyFile(pem));
        assert.deepEqual(parseKeyFile(pem), { publicArea, privateArea });
      }),
    );
  });

  test('arbitrary octets give a typed error', () => {
    fc.assert(
      fc.property(blob, (octets) => {
        const pem = derToPem(octets, 'TSS2 PRIVATE KEY');
        assert.throws(() => parseKeyFile(pem), isSallyportError);
      }),
    );
  });

  test('with a password, under another key or of another type is not taken', () => {
    const octets = der.octetString(new Uint8Array(2));
    const keyOf = (type: string, parent: number, emptyAuth: readonly Uint8Array[]) =>
      derToPem(
        der.sequence(der.oid(type), ...emptyAuth, der.integer(parent), octets, octets),
        'TSS2 PRIVATE KEY',
      );
    const [loadable, owner] = ['2.23.133.10.1.3', 0x4000_0001] as const;
    const emptyAuth = (is: boolean) => [der.explicit(0, der.boolean(is))];
    assert.ok(parseKeyFile(keyOf(loadable, owner, emptyAuth(true))));
    for (const pem of [
      keyOf(loadable, owner, []),
      keyOf(loadable, owner, emptyAuth(false)),
      keyOf(loadable, 0x8100_0001, emptyAuth(true)),
      keyOf('2.23.133.10.1.4', owner, emptyAuth(true)),
    ]) {
      assert.throws(() => parseKeyFile(pem), { code: 'unsupported' });
    }
  });

  test('PKCS #8 is another form', () => {
    assert.equal(isKeyFile(derToPem(new Uint8Array(4), 'PRIVATE KEY')), false);
  });
});
