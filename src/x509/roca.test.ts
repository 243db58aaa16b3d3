import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import { rocaModulus } from '../../test/harness/roca.ts';
import { hasRocaFingerprint } from './roca.ts';
import { smallPrimeResidues, smallPrimes } from './small-primes.ts';

function hasFingerprint(modulus: bigint): boolean {
  return hasRocaFingerprint(smallPrimeResidues(modulus));
}

suite('ROCA (CVE-2017-15361)', () => {
  for (const bits of [1024, 2048] as const) {
    test(`a modulus of ${bits} bits made as Infineon's library did has the fingerprint`, () => {
      const modulus = rocaModulus(bits);
      assert.equal(modulus.toString(2).length, bits);
      assert.equal(hasFingerprint(modulus), true);
    });
  }

  test('its neighbours have not', () => {
    for (const offset of [-2n, 2n, 4n]) assert.equal(hasFingerprint(rocaModulus(1024) + offset), false);
  });

  test('ordinary keys have not', () => {
    for (let i = 0; i < 10; i += 1) {
      const { n } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
      assert.equal(hasFingerprint(BigInt(`0x${Buffer.from(n ?? '', 'base64url').toString('hex')}`)), false);
    }
  });

  test('of random numbers one in 2^27 has: the share of residues over all primes', () => {
    const share = smallPrimes
      .filter((prime) => prime <= 167)
      .map((prime) => {
        let order = 1;
        for (let power = 65_537 % prime; power !== 1; power = (power * 65_537) % prime) order += 1;
        return order / (prime - 1);
      })
      .reduce((product, factor) => product * factor, 1);
    assert.ok(share < 2 ** -27 && share > 2 ** -28);
  });
});

suite('small primes', () => {
  test('are the 167 odd ones below 1000', () => {
    assert.equal(smallPrimes.length, 167);
    assert.deepEqual(smallPrimes.slice(0, 5), [3, 5, 7, 11, 13]);
    assert.equal(smallPrimes.at(-1), 997);
  });

  test('residues are those of division', () => {
    const n = 2n ** 2047n + 12_345n;
    assert.deepEqual(
      smallPrimeResidues(n),
      smallPrimes.map((prime) => Number(n % BigInt(prime))),
    );
  });
});
