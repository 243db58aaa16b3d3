import assert from 'node:assert/strict';
import {
  checkPrimeSync,
  constants,
  createHash,
  generateKeyPairSync,
  generatePrimeSync,
  sign,
} from 'node:crypto';
import { suite, test } from 'node:test';
import { keyAlgorithms } from '#keys';
import { der, oids, signatureAlgorithmIdentifier, verifySignature } from '#x509';
import { inverseModulo, powerModulo } from '../../test/harness/modular.ts';
import { assertRefused } from './malformed.fixture.ts';
import { sampleKey } from './sample.fixture.ts';

const data = new TextEncoder().encode('what is signed');
const rsa = sampleKey('rsa-2048');
const p256 = sampleKey('ec-p256');
const ed25519 = sampleKey('ed25519');

function flipped(bytes: Uint8Array, at = -1): Uint8Array {
  return bytes.with(at, (bytes.at(at) ?? 0) ^ 1);
}

suite('verifySignature', () => {
  for (const algorithm of keyAlgorithms) {
    test(`${algorithm}: accepts its own, refuses changed data, a changed signature and another key`, () => {
      const key = sampleKey(algorithm);
      const identifier = signatureAlgorithmIdentifier(algorithm);
      const signature = key.sign(data);
      assert.equal(verifySignature(identifier, key.spki, data, signature), true);
      assert.equal(verifySignature(identifier, key.spki, flipped(data), signature), false);
      assert.equal(verifySignature(identifier, key.spki, data, flipped(signature)), false);
      assert.equal(verifySignature(identifier, key.spki, data, new Uint8Array()), false);
      assert.equal(verifySignature(identifier, sampleKey(algorithm).spki, data, signature), false);
    });
  }

  for (const [hash, oid] of [
    ['sha256', oids.ecdsaWithSha256],
    ['sha384', oids.ecdsaWithSha384],
    ['sha512', oids.ecdsaWithSha512],
  ] as const) {
    test(`ECDSA with ${hash} by OID, on any of the three curves`, () => {
      for (const namedCurve of ['P-256', 'P-384', 'P-521']) {
        const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
        const spki = publicKey.export({ format: 'der', type: 'spki' });
        assert.equal(verifySignature(oid, spki, data, sign(hash, data, privateKey)), true);
      }
    });
  }

  for (const [hash, oid] of [
    ['sha256', oids.sha256WithRsaEncryption],
    ['sha384', oids.sha384WithRsaEncryption],
    ['sha512', oids.sha512WithRsaEncryption],
  ] as const) {
    test(`RSA PKCS #1 v1.5 with ${hash}; parameters NULL or absent`, () => {
      const signature = sign(hash, data, rsa.privateKey);
      assert.equal(verifySignature(oid, rsa.spki, data, signature), true);
      assert.equal(verifySignature(der.sequence(der.oid(oid)), rsa.spki, data, signature), true);
      assert.equal(verifySignature(der.sequence(der.oid(oid), der.null()), rsa.spki, data, signature), true);
    });
  }
});

suite('RSASSA-PSS (RFC 4055 section 3.1)', () => {
  const hashOids = { sha1: '1.3.14.3.2.26', sha256: oids.sha256, sha384: oids.sha384, sha512: oids.sha512 };
  type Hash = keyof typeof hashOids;
  interface Pss {
    readonly hash?: Hash;
    readonly maskHash?: Hash;
    readonly saltLength?: number;
    readonly more?: Uint8Array;
  }
  const identifier = ({ hash, maskHash, saltLength, more }: Pss) =>
    der.sequence(
      der.oid(oids.rsassaPss),
      der.sequence(
        ...(hash === undefined ? [] : [der.explicit(0, der.sequence(der.oid(hashOids[hash]), der.null()))]),
        ...(maskHash === undefined
          ? []
          : [der.explicit(1, der.sequence(der.oid(oids.mgf1), der.sequence(der.oid(hashOids[maskHash]))))]),
        ...(saltLength === undefined ? [] : [der.explicit(2, der.integer(saltLength))]),
        ...(more === undefined ? [] : [more]),
      ),
    );
  const pss = (hash: Hash, saltLength: number) =>
    sign(hash, data, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

  for (const [hash, saltLength] of [
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64],
    ['sha256', 222],
  ] as const) {
    test(`${hash} with a salt of ${saltLength}`, () => {
      const algorithm = identifier({ hash, maskHash: hash, saltLength });
      assert.equal(verifySignature(algorithm, rsa.spki, data, pss(hash, saltLength)), true);
      assert.equal(verifySignature(algorithm, rsa.spki, data, flipped(pss(hash, saltLength))), false);
    });
  }

  test('another salt length than the one signed with, and one that does not fit the modulus, give false', () => {
    const signature = pss('sha256', 32);
    for (const saltLength of [33, 222, 1024]) {
      const algorithm = identifier({ hash: 'sha256', maskHash: 'sha256', saltLength });
      assert.equal(verifySignature(algorithm, rsa.spki, data, signature), false);
    }
  });

  const unsupported: Readonly<Record<string, Uint8Array | string>> = {
    'SHA-1 by default': identifier({}),
    'SHA-1 by name': identifier({ hash: 'sha1', maskHash: 'sha1', saltLength: 32 }),
    'mask hash SHA-1 by default': identifier({ hash: 'sha256', saltLength: 32 }),
    'two hashes': identifier({ hash: 'sha256', maskHash: 'sha512', saltLength: 64 }),
    'the default salt of 20': identifier({ hash: 'sha256', maskHash: 'sha256' }),
    'no salt': identifier({ hash: 'sha256', maskHash: 'sha256', saltLength: 0 }),
    'a salt of 1025': identifier({ hash: 'sha256', maskHash: 'sha256', saltLength: 1025 }),
    'no parameters': der.sequence(der.oid(oids.rsassaPss)),
    'the OID alone': oids.rsassaPss,
  };
  for (const [what, algorithm] of Object.entries(unsupported)) {
    test(`${what} is unsupported`, () => {
      assertRefused('unsupported', () => verifySignature(algorithm, rsa.spki, data, new Uint8Array(256)));
    });
  }

  test('a trailer field written out is not DER', () => {
    const algorithm = identifier({
      hash: 'sha256',
      maskHash: 'sha256',
      saltLength: 32,
      more: der.explicit(3, der.integer(1)),
    });
    assertRefused('malformed', () => verifySignature(algorithm, rsa.spki, data, pss('sha256', 32)));
  });
});

suite('algorithms off the list are unsupported, whatever the key', () => {
  const others: Readonly<Record<string, string>> = {
    md5WithRSAEncryption: '1.2.840.113549.1.1.4',
    sha1WithRSAEncryption: '1.2.840.113549.1.1.5',
    sha224WithRSAEncryption: '1.2.840.113549.1.1.14',
    'ecdsa-with-SHA1': '1.2.840.10045.4.1',
    'ecdsa-with-SHA224': '1.2.840.10045.4.3.1',
    'dsa-with-sha256': '2.16.840.1.101.3.4.3.2',
    rsaEncryption: oids.rsaEncryption,
    Ed448: '1.3.101.113',
  };
  for (const [what, oid] of Object.entries(others)) {
    test(what, () => {
      const signature = what.includes('sha1') ? sign('sha1', data, rsa.privateKey) : new Uint8Array(256);
      assertRefused('unsupported', () => verifySignature(oid, rsa.spki, data, signature));
      assertRefused('unsupported', () =>
        verifySignature(der.sequence(der.oid(oid)), rsa.spki, data, signature),
      );
    });
  }
});

suite('parameters and kinds of keys', () => {
  test('ECDSA, EdDSA and ML-DSA with parameters, NULL or anything, are malformed', () => {
    for (const oid of [oids.ecdsaWithSha256, oids.ed25519, oids.mlDsa65]) {
      for (const parameters of [der.null(), der.octetString(data)]) {
        const algorithm = der.sequence(der.oid(oid), parameters);
        assertRefused('malformed', () => verifySignature(algorithm, p256.spki, data, p256.sign(data)));
      }
    }
  });

  test('RSA with parameters other than NULL are malformed', () => {
    const algorithm = der.sequence(der.oid(oids.sha256WithRsaEncryption), der.octetString(data));
    assertRefused('malformed', () => verifySignature(algorithm, rsa.spki, data, rsa.sign(data)));
  });

  test('a key of another kind than the algorithm gives false', () => {
    assert.equal(verifySignature(oids.ecdsaWithSha256, rsa.spki, data, rsa.sign(data)), false);
    assert.equal(verifySignature(oids.sha256WithRsaEncryption, p256.spki, data, p256.sign(data)), false);
    assert.equal(verifySignature(oids.ed25519, p256.spki, data, p256.sign(data)), false);
    assert.equal(verifySignature(oids.ecdsaWithSha256, ed25519.spki, data, ed25519.sign(data)), false);
    assert.equal(verifySignature(oids.mlDsa65, ed25519.spki, data, ed25519.sign(data)), false);
    const mlDsa44 = sampleKey('ml-dsa-44');
    assert.equal(verifySignature(oids.mlDsa65, mlDsa44.spki, data, mlDsa44.sign(data)), false);
  });

  test('a curve that is none of ours gives false', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    assert.equal(verifySignature(oids.ecdsaWithSha256, spki, data, sign('sha256', data, privateKey)), false);
  });

  test('a point off its curve gives false', () => {
    assert.equal(verifySignature(oids.ecdsaWithSha256, flipped(p256.spki), data, p256.sign(data)), false);
  });

  // What fails slowly fails as well: only a signature that is right tells that nobody tried.
  test('a signature by a key that is too large to compute with gives false, and by the largest true', () => {
    const cases: readonly [modulusBits: number, exponentBits: number, valid: boolean][] = [
      [8192, 17, true],
      [8193, 17, false],
      [2048, 256, true],
      [2048, 257, false],
    ];
    for (const [modulusBits, exponentBits, valid] of cases) {
      const { spki, signature } = signedByManyPrimes(modulusBits, exponentBits);
      const found = verifySignature(oids.sha256WithRsaEncryption, spki, data, signature);
      assert.equal(found, valid, `${modulusBits} and ${exponentBits} bits`);
    }
  });

  test('ECDSA in the raw form of IEEE P1363 gives false', () => {
    const raw = sign('sha256', data, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' });
    assert.equal(verifySignature(oids.ecdsaWithSha256, p256.spki, data, raw), false);
  });

  test('an Ed25519 key of small order gives false: its signatures need no private key', () => {
    const identity = new Uint8Array(32).with(0, 1);
    const spki = der.sequence(der.sequence(der.oid(oids.ed25519)), der.bitString(identity));
    const forged = new Uint8Array(64).with(0, 1);
    assert.equal(verifySignature(oids.ed25519, spki, data, forged), false);
  });
});

/** By an RSA key whose modulus has many primes, since they are found soon: to who verifies it is as any other (RFC 8017 section 8.2). */
function signedByManyPrimes(modulusBits: number, exponentBits: number) {
  const { modulus, order } = modulusOf(modulusBits);
  let exponent = 2n ** BigInt(exponentBits - 1) + 1n;
  while (inverseModulo(exponent, order) === null) exponent += 2n;
  const prefix = Buffer.from('003031300d060960864801650304020105000420', 'hex');
  const digest = createHash('sha256').update(data).digest();
  const length = Math.ceil(modulusBits / 8);
  const padding = Buffer.alloc(length - 2 - prefix.length - digest.length, 0xff);
  const encoded = BigInt(`0x${Buffer.concat([Buffer.of(0, 1), padding, prefix, digest]).toString('hex')}`);
  const signature = powerModulo(encoded, inverseModulo(exponent, order)!, modulus);
  const key = der.sequence(der.integer(modulus), der.integer(exponent));
  return {
    spki: der.sequence(der.sequence(der.oid(oids.rsaEncryption), der.null()), der.bitString(key)),
    signature: Buffer.from(signature.toString(16).padStart(2 * length, '0'), 'hex'),
  };
}

/** The last prime is the first that makes it so long. */
function modulusOf(bits: number): { readonly modulus: bigint; readonly order: bigint } {
  let [modulus, order] = [1n, 1n];
  for (let left = bits; left > 1024; left -= 512) {
    const prime = generatePrimeSync(512, { bigint: true });
    [modulus, order] = [modulus * prime, order * (prime - 1n)];
  }
  let last = 2n ** BigInt(bits - 1) / modulus + 1n;
  while (!checkPrimeSync(last)) last += 1n;
  return { modulus: modulus * last, order: order * (last - 1n) };
}
