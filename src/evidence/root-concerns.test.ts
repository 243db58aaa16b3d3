import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Extension, encodeKeyUsage, extensionOids, der, parseCertificate } from '#x509';
import { type Recipe, ca, day, issue, keyPair, named, now } from './evidence.fixture.ts';
import type { TrustAnchors } from './appraisal.ts';
import { assuranceLevels, evidenceFormats } from './evidence.ts';
import { knownRoots } from './known-roots.ts';
import { rootConcerns, rootSignature, vendorConcerns } from './root-concerns.ts';

const keys = { root: keyPair(), other: keyPair(), rsa: keyPair('rsa-2048') };
const name = named({ commonName: 'Root of Tests' });

const root = (changed: Partial<Recipe> = {}) =>
  parseCertificate(
    issue({
      subject: name,
      issuer: name,
      key: keys.root,
      by: keys.root,
      serialNumber: '01',
      notBefore: now - day,
      notAfter: now + 400 * day,
      extensions: [ca],
      ...changed,
    }),
  );
const checks = (certificate: ReturnType<typeof root>, time = now) =>
  rootConcerns(certificate, { format: 'tpm', level: 'discrete-tpm' }, time).map(({ check }) => check);
const usage = (...usages: Parameters<typeof encodeKeyUsage>[0]): Extension => ({
  oid: extensionOids.keyUsage,
  critical: true,
  value: encodeKeyUsage(usages),
});
const spkiOf = (algorithm: Uint8Array, key: Uint8Array) => ({
  ...keys.root,
  spki: der.sequence(algorithm, der.bitString(key)),
});

suite('what is to be said against a root', () => {
  test('nothing but that nobody knows it', () => {
    assert.deepEqual(checks(root()), ['root-unknown']);
    assert.deepEqual(checks(root({ key: keys.rsa, by: keys.rsa, extensions: [ca, usage('keyCertSign')] })), [
      'root-unknown',
    ]);
  });

  test('root-format, root-level: a vendor makes evidence of one format, and of one level where it makes nothing else', () => {
    const of = (...asked: Parameters<typeof vendorConcerns>) =>
      vendorConcerns(...asked).map(({ check }) => check);
    for (const known of knownRoots.values()) {
      for (const format of evidenceFormats) {
        const expected = known.formats.includes(format) ? [] : ['root-format'];
        assert.deepEqual(
          of(known, { format, level: known.level }),
          expected,
          `${known.vendor} ${known.name}`,
        );
      }
      const [format] = known.formats as [TrustAnchors['format']];
      for (const level of [...assuranceLevels, null]) {
        const expected = known.level === null || known.level === level ? [] : ['root-level'];
        assert.deepEqual(of(known, { format, level }), expected, `${known.vendor} ${known.name}`);
      }
    }
  });

  test('root-ca: no CA, one that signs no certificates, one with name constraints', () => {
    const constraints = { oid: extensionOids.nameConstraints, critical: true, value: der.sequence() };
    for (const extensions of [[], [ca, usage('cRLSign')], [ca, constraints]]) {
      assert.deepEqual(checks(root({ extensions })), ['root-unknown', 'root-ca']);
    }
  });

  test('root-key: short, on another curve, of another type', () => {
    const curve = der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.3.132.0.10'));
    const point = Uint8Array.from({ length: 65 }, (_, at) => (at === 0 ? 4 : at));
    const modulus = Uint8Array.from({ length: 128 }, () => 0xfd);
    const rsa = der.sequence(der.oid('1.2.840.113549.1.1.1'), der.null());
    const short = der.sequence(der.integer(modulus), der.integer(65_537));
    for (const key of [
      spkiOf(curve, point),
      spkiOf(rsa, short),
      spkiOf(der.sequence(der.oid('1.2.3.4')), point),
    ]) {
      assert.deepEqual(checks(root({ key })), ['root-unknown', 'root-key']);
    }
  });

  test('root-signature: it says that it is its own issuer, and is not', () => {
    assert.deepEqual(checks(root({ by: keys.other })), ['root-unknown', 'root-signature']);
    assert.equal(rootSignature(root({ by: keys.other })), 'forged');
    // Whoever is above it is another, and need not be here.
    const below = root({ by: keys.other, issuer: named({ commonName: 'Above' }) });
    assert.deepEqual(checks(below), ['root-unknown']);
    assert.equal(rootSignature(below), 'another');
    assert.equal(rootSignature(root()), 'self');
    // RFC 5758 section 3.2: no parameters. Intel's root of 2019 has a NULL there.
    const signatureAlgorithmDer = der.sequence(der.oid('1.2.840.10045.4.3.2'), der.null());
    const withNull = { ...root(), signatureAlgorithmDer };
    assert.equal(rootSignature(withNull), 'unread');
    assert.deepEqual(checks(withNull), ['root-unknown']);
  });

  test('root-begins, root-ended, root-ends-soon: to the day', () => {
    const [notBefore, notAfter] = [now - day, now + 400 * day];
    assert.deepEqual(checks(root(), notBefore - 1000), ['root-unknown', 'root-begins']);
    assert.deepEqual(checks(root(), notAfter + 1000), ['root-unknown', 'root-ended']);
    assert.deepEqual(checks(root(), notAfter), ['root-unknown', 'root-ends-soon']);
    assert.deepEqual(checks(root(), notAfter - 90 * day + 1000), ['root-unknown', 'root-ends-soon']);
    assert.deepEqual(checks(root(), notAfter - 90 * day), ['root-unknown']);
  });
});
