import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { der } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';

/** Keys that others could compute, and requests whose sender does not hold the key. */
describe('a certification request', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  let devices = 0;
  async function ask(make: (id: string) => Uint8Array) {
    const id = `laptop-${(devices += 1)}`;
    const secret = await authority.admin.expected(id);
    return est({
      url: `${authority.est}/simpleenroll`,
      body: base64(make(id)),
      user: [id, secret],
      trust: authority.trustPem,
    });
  }

  const rsa = (modulusLength: number, publicExponent: number): ClientKey => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
    return { algorithm: 'rsa-2048', privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
  };

  test('with an RSA key of 1024 bits is refused', async () => {
    const answer = await ask((id) => csrFor(id, rsa(1024, 65_537)));
    const entry = await assertRefused(authority, answer, 400, ['key-algorithm', 'key-strength']);
    assert.match(JSON.stringify(entry.verdict.objections), /short/);
  });

  test('with an RSA key of exponent 3 is refused', async () => {
    const answer = await ask((id) => csrFor(id, rsa(2048, 3)));
    await assertRefused(authority, answer, 400, ['key-strength']);
  });

  test('with a key of the ROCA generator is refused', async () => {
    // Nobody can sign with a key made up here, so possession is objected to as well; the parser's own test has a whole key.
    const answer = await ask((id) => csrFor(id, makeKey('rsa-2048'), { spki: rocaKey() }));
    await assertRefused(authority, answer, 400, ['key-strength', 'request-possession']);
  });

  test('with a key of a type that the template does not list is refused', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const key: ClientKey = {
      algorithm: 'ed25519',
      privateKey,
      spki: publicKey.export({ type: 'spki', format: 'der' }),
    };
    await assertRefused(authority, await ask((id) => csrFor(id, key)), 400, ['key-algorithm']);
  });

  test('that another key signed is refused', async () => {
    const answer = await ask((id) => csrFor(id, makeKey(), { signWith: makeKey() }));
    await assertRefused(authority, answer, 400, ['request-possession']);
  });

  test('for the key of another device is refused', async () => {
    const key = makeKey();
    assert.equal((await ask((id) => csrFor(id, key))).status, 200);
    await assertRefused(authority, await ask((id) => csrFor(id, key)), 400, ['key-unshared']);
  });

  test('that does not parse is answered with what is wrong, and is in the log', async () => {
    const answer = await ask(() => Buffer.from('not a request'));
    assert.equal(answer.status, 400);
    const entry = await entryOf(authority, answer);
    assert.equal(entry.outcome, 'malformed');
    assert.equal(entry.error?.code, 'malformed');
  });
});

/** A modulus as the flawed generator made them (CVE-2017-15361): a power of 65537 modulo the product of the first primes. */
function rocaKey(): Uint8Array {
  const primes = [2n];
  for (let candidate = 3n; primes.length < 126; candidate += 2n) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate);
  }
  const product = primes.reduce((left, right) => left * right, 1n);
  let residue = 1n;
  for (let power = 0; power < 1000; power += 1) residue = (residue * 65_537n) % product;
  const high = (1n << 2047n) / product + 12_345n;
  const modulus = high * product + residue;
  const rsaPublicKey = der.sequence(der.integer(modulus), der.integer(65_537n));
  return der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.1'), der.null()), der.bitString(rsaPublicKey));
}
