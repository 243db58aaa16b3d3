import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { suite, test } from 'node:test';
import { der, inspectPublicKey, oids } from '#x509';
import { encode, p256, read } from './csr-attributes.fixture.ts';
import { assertRefused } from './malformed.fixture.ts';

suite('the key that a client is to make', () => {
  for (const [key, type, parameters, signature] of [
    [p256, oids.ecPublicKey, der.oid(oids.prime256v1), oids.ecdsaWithSha256],
    [{ kind: 'ec', curve: 'P-384' }, oids.ecPublicKey, der.oid(oids.secp384r1), oids.ecdsaWithSha384],
  ] as const) {
    test(`EC on ${key.curve}: its curve, and no key in the template`, () => {
      const { oids: bare, attributes, template } = read({ key });
      assert.deepEqual(bare, [signature]);
      assert.deepEqual(attributes, [{ type, values: [parameters] }]);
      assert.equal(template.algorithm.algorithm, type);
      assert.deepEqual(new Uint8Array(template.algorithm.parameters ?? new ArrayBuffer()), parameters);
      assert.equal(template.subjectPublicKey, null);
    });
  }

  for (const bits of [2048, 3072, 4096, 8192, 2049]) {
    test(`RSA of ${bits} bits: the number, and a placeholder of that length`, () => {
      const { oids: bare, attributes, template } = read({ key: { kind: 'rsa', bits } });
      assert.deepEqual(bare, [oids.sha256WithRsaEncryption]);
      assert.deepEqual(attributes, [{ type: oids.rsaEncryption, values: [der.integer(bits)] }]);
      assert.ok(template.subjectPublicKey !== null);
      const spki = der.sequence(
        der.sequence(der.oid(template.algorithm.algorithm), der.null()),
        der.bitString(template.subjectPublicKey),
      );
      assert.equal(inspectPublicKey(spki).bits, bits);
      const oracle = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
      assert.equal(oracle.asymmetricKeyDetails?.modulusLength, bits);
    });
  }

  for (const [kind, oid] of [
    ['ed25519', '1.3.101.112'],
    ['ml-dsa-44', '2.16.840.1.101.3.4.3.17'],
    ['ml-dsa-65', '2.16.840.1.101.3.4.3.18'],
    ['ml-dsa-87', '2.16.840.1.101.3.4.3.19'],
  ] as const) {
    test(`${kind}: one OID says key and signature, and has no parameters`, () => {
      const { oids: bare, attributes, template } = read({ key: { kind } });
      assert.deepEqual(bare, [oid]);
      assert.deepEqual(attributes, []);
      assert.equal(template.algorithm.algorithm, oid);
      assert.equal(template.algorithm.parameters ?? null, null);
      assert.equal(template.subjectPublicKey, null);
    });
  }

  test('RSA keys that would be refused are not asked for', () => {
    for (const bits of [1024, 2047, 8193, 2048.5, NaN, -1]) {
      assertRefused('unsupported', () => encode({ key: { kind: 'rsa', bits } }));
    }
  });
});
