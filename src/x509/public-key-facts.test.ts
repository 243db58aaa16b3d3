import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import { keyAlgorithms } from '#keys';
import { der, inspectPublicKey, oids } from '#x509';
import { assertRefused, hex } from './malformed.fixture.ts';
import { rocaModulus } from '../../test/harness/roca.ts';
import { sampleKey } from './sample.fixture.ts';

/** An odd modulus of exactly this many bits without small factors: 2^(bits - 1) plus the first offset that has none. */
function modulusOf(bits: number): bigint {
  const base = 2n ** BigInt(bits - 1);
  for (let offset = 1n; ; offset += 2n) {
    const facts = inspectPublicKey(rsa(base + offset));
    if (!facts.weaknesses.includes('small-factor')) return base + offset;
  }
}

function rsa(modulus: bigint, exponent = 65_537n): Uint8Array {
  const key = der.sequence(der.integer(modulus), der.integer(exponent));
  return spki(der.sequence(der.oid(oids.rsaEncryption), der.null()), key);
}

function ec(curve: string, point: Uint8Array): Uint8Array {
  return spki(der.sequence(der.oid(oids.ecPublicKey), der.oid(curve)), point);
}

function ed25519(point: Uint8Array): Uint8Array {
  return spki(der.sequence(der.oid(oids.ed25519)), point);
}

function spki(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return der.sequence(algorithm, der.bitString(key));
}

function ecSpki(namedCurve: string): Uint8Array {
  return new Uint8Array(
    generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'der', type: 'spki' }),
  );
}

suite('ordinary keys have no weakness', () => {
  for (const algorithm of keyAlgorithms) {
    test(algorithm, () => {
      const facts = inspectPublicKey(sampleKey(algorithm).spki);
      assert.equal(facts.algorithm, algorithm);
      assert.deepEqual(facts.weaknesses, []);
    });
  }

  test('RSA gives bits and exponent, EC the curve', () => {
    const { exponent, bits } = inspectPublicKey(sampleKey('rsa-3072').spki);
    assert.deepEqual({ exponent, bits }, { exponent: '65537', bits: 3072 });
    assert.equal(inspectPublicKey(sampleKey('ec-p384').spki).curve, 'P-384');
  });

  test('RSA of another size is rsa-other, P-521 and other curves are ec-other, X25519 is other', () => {
    assert.equal(inspectPublicKey(rsa(modulusOf(2056))).algorithm, 'rsa-other');
    assert.deepEqual(inspectPublicKey(ecSpki('P-521')), {
      algorithm: 'ec-other',
      bits: 521,
      curve: 'P-521',
      weaknesses: [],
    });
    assert.deepEqual(inspectPublicKey(ecSpki('secp256k1')), {
      algorithm: 'ec-other',
      bits: 256,
      curve: '1.3.132.0.10',
      weaknesses: [],
    });
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' });
    assert.equal(inspectPublicKey(x25519).algorithm, 'other');
  });
});

suite('weak RSA keys', () => {
  const n2048 = modulusOf(2048);
  const cases: readonly [string, Uint8Array, readonly string[]][] = [
    ['2047 bits', rsa(modulusOf(2047)), ['short']],
    ['1024 bits', rsa(modulusOf(1024)), ['short']],
    ['8192 bits pass', rsa(modulusOf(8192)), []],
    ['8193 bits', rsa(2n ** 8192n + 1n), ['large']],
    ['exponent 1', rsa(n2048, 1n), ['small-exponent']],
    ['exponent 3', rsa(n2048, 3n), ['small-exponent']],
    ['exponent 17', rsa(n2048, 17n), ['small-exponent']],
    ['exponent 65535', rsa(n2048, 65_535n), ['small-exponent']],
    ['exponent 65536', rsa(n2048, 65_536n), ['small-exponent']],
    ['exponent 65539 passes', rsa(n2048, 65_539n), []],
    ['an even exponent', rsa(n2048, 65_538n), ['small-exponent']],
    ['exponent 2^256 - 1 passes', rsa(n2048, 2n ** 256n - 1n), []],
    ['exponent 2^256 + 1', rsa(n2048, 2n ** 256n + 1n), ['small-exponent']],
    ['exponent 0', rsa(n2048, 0n), ['small-exponent']],
    ['an even modulus', rsa(n2048 + 1n), ['even-modulus']],
    ['an even modulus of 9000 bits', rsa(2n ** 8999n), ['large', 'even-modulus']],
    ['a factor of 3', rsa(3n * modulusOf(2047)), ['small-factor']],
    ['a factor of 997', rsa(997n * modulusOf(2039)), ['small-factor']],
    ['modulus 0', rsa(0n), ['short', 'even-modulus', 'small-factor']],
    ['the ROCA fingerprint', rsa(rocaModulus(2048)), ['roca']],
  ];
  for (const [what, key, weaknesses] of cases) {
    test(what, () => {
      const found = inspectPublicKey(key).weaknesses.filter(
        // An arbitrary even number is likely to have other small factors.
        (weakness) =>
          weaknesses.includes(weakness) || !(what.startsWith('an even') && weakness === 'small-factor'),
      );
      assert.deepEqual(found, weaknesses);
    });
  }

  test('an exponent beyond 2^256 is not spelled out', () => {
    assert.equal('exponent' in inspectPublicKey(rsa(n2048, 2n ** 300n + 1n)), false);
  });
});

suite('elliptic curve points', () => {
  for (const [curve, oid, octets] of [
    ['P-256', oids.prime256v1, 32],
    ['P-384', oids.secp384r1, 48],
    ['P-521', oids.secp521r1, 66],
  ] as const) {
    const point = ecSpki(curve).slice(-(2 * octets + 1));
    test(`${curve}: keys of node:crypto are on it`, () => {
      for (let i = 0; i < 10; i += 1) assert.deepEqual(inspectPublicKey(ecSpki(curve)).weaknesses, []);
    });

    test(`${curve}: a changed coordinate, a wrong length and (0, 0) are not on it`, () => {
      const changed = point.with(2 * octets, (point[2 * octets] ?? 0) ^ 1);
      for (const bad of [
        changed,
        point.slice(0, -1),
        Uint8Array.of(...point, 0),
        new Uint8Array(point.length).with(0, 4),
      ]) {
        assert.deepEqual(inspectPublicKey(ec(oid, bad)).weaknesses, ['not-on-curve']);
        assert.throws(() => createPublicKey({ key: Buffer.from(ec(oid, bad)), format: 'der', type: 'spki' }));
      }
    });
  }

  test('a coordinate of p or more is refused although the equation holds', () => {
    const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
    // x = 5 is on P-256; x + p is the same field element and fits 32 octets.
    const y = 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbccn;
    const point = (x: bigint) =>
      hex(`04${x.toString(16).padStart(64, '0')}${y.toString(16).padStart(64, '0')}`);
    assert.deepEqual(inspectPublicKey(ec(oids.prime256v1, point(5n))).weaknesses, []);
    assert.deepEqual(inspectPublicKey(ec(oids.prime256v1, point(5n + p))).weaknesses, ['not-on-curve']);
  });

  test('compressed points, the point at infinity and explicit parameters are unsupported', () => {
    const compressed = Uint8Array.of(2, ...ecSpki('P-256').slice(-64, -32));
    assertRefused('unsupported', () => inspectPublicKey(ec(oids.prime256v1, compressed)));
    assertRefused('unsupported', () => inspectPublicKey(ec(oids.prime256v1, Uint8Array.of(0))));
    assertRefused('unsupported', () => inspectPublicKey(ec(oids.prime256v1, new Uint8Array())));
    const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey;
    assertRefused(
      'unsupported',
      () => inspectPublicKey(explicit.export({ format: 'der', type: 'spki' })),
      /named/,
    );
    const absent = spki(der.sequence(der.oid(oids.ecPublicKey)), ecSpki('P-256').slice(-65));
    assertRefused('unsupported', () => inspectPublicKey(absent));
  });
});

suite('Ed25519 points', () => {
  const smallOrder = {
    'order 1': '01 00000000000000000000000000000000000000000000000000000000000000',
    'order 2': 'ec ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'order 4': '00 00000000000000000000000000000000000000000000000000000000000000',
    'order 8': '26 e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'order 8, the other': 'c7 176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'order 1, not canonical': 'ee ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  };
  for (const [what, bytes] of Object.entries(smallOrder)) {
    test(`${what}, with either sign`, () => {
      const point = hex(bytes);
      assert.deepEqual(inspectPublicKey(ed25519(point)).weaknesses, ['not-on-curve']);
      const negative = point.with(31, (point[31] ?? 0) | 0x80);
      assert.deepEqual(inspectPublicKey(ed25519(negative)).weaknesses, ['not-on-curve']);
    });
  }
});

suite('malformed keys', () => {
  const point = ecSpki('P-256').slice(-65);
  const cases: Readonly<Record<string, Uint8Array>> = {
    'RSA with parameters that are no NULL': spki(
      der.sequence(der.oid(oids.rsaEncryption), der.integer(1)),
      der.sequence(der.integer(5), der.integer(3)),
    ),
    'RSA with a negative modulus': rsa(-5n),
    'RSA with a third number': spki(
      der.sequence(der.oid(oids.rsaEncryption), der.null()),
      der.sequence(der.integer(5), der.integer(3), der.integer(1)),
    ),
    'RSA with bytes after the key': spki(
      der.sequence(der.oid(oids.rsaEncryption), der.null()),
      Uint8Array.of(...der.sequence(der.integer(5), der.integer(3)), 0),
    ),
    'Ed25519 with parameters': spki(
      der.sequence(der.oid(oids.ed25519), der.null()),
      new Uint8Array(32).fill(9),
    ),
    'Ed25519 of 31 octets': ed25519(new Uint8Array(31)),
    'ML-DSA-44 of the wrong size': spki(der.sequence(der.oid(oids.mlDsa44)), new Uint8Array(1313)),
    'ML-DSA-65 with parameters': spki(der.sequence(der.oid(oids.mlDsa65), der.null()), new Uint8Array(1952)),
    'a key that is no whole number of octets': der.sequence(
      der.sequence(der.oid(oids.ecPublicKey), der.oid(oids.prime256v1)),
      der.bitString(point.with(64, 0), 1),
    ),
    'an AlgorithmIdentifier of three elements': spki(
      der.sequence(der.oid(oids.ecPublicKey), der.oid(oids.prime256v1), der.null()),
      point,
    ),
    'something after the key': der.sequence(
      der.sequence(der.oid(oids.ecPublicKey), der.oid(oids.prime256v1)),
      der.bitString(point),
      der.null(),
    ),
  };
  for (const [what, key] of Object.entries(cases)) {
    test(what, () => assertRefused('malformed', () => inspectPublicKey(key)));
  }
});
