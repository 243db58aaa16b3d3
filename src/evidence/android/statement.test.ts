import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { der } from '#x509';
import {
  attestationObject,
  base64,
  extension,
  issue,
  keyPair,
  named,
  nonce,
  now,
  signedBy,
} from '../evidence.fixture.ts';
import type { Nonce } from '../evidence.ts';
import { examine } from '../examine.ts';
import { type AndroidRecipe, androidChain, androidEvidence, keys, signature } from './android.fixture.ts';
import { keyDescriptionOid } from './chain.ts';
import { keyDescription, text, withHardware } from './key-description.fixture.ts';

function examined(recipe: Partial<AndroidRecipe>, given: Nonce | null = nonce) {
  return examine(androidEvidence(recipe), given);
}

function examinedChain(x5c: readonly Uint8Array[]) {
  const bytes = attestationObject('android-key', { x5c });
  return examine({ envelope: 'attestation-object', bytes }, nonce);
}

const faultOf = (x5c: readonly Uint8Array[]) => examinedChain(x5c).fault?.check;

test('android-key: what is seen', () => {
  const x5c = androidChain();
  const bytes = attestationObject('android-key', { x5c });
  const { statement, ...seen } = examine({ envelope: 'attestation-object', bytes }, nonce);
  assert.deepEqual(seen, {
    sha256: hash('sha256', bytes),
    format: 'android-key',
    fault: null,
    certificates: x5c.map(base64),
  });
  assert.equal(statement?.spki, hash('sha256', keys.target.spki));
  assert.equal(statement.fresh, true);
  assert.deepEqual(statement.identities, {
    serialNumber: 'SN-1',
    imei: ['351163520096208', '351163520096216', 'A0000000002329'],
  });
  assert.deepEqual(statement.claims, {
    format: 'android-key',
    attestationVersion: 300,
    attestationSecurityLevel: 'tee',
    keyMintVersion: 301,
    keyMintSecurityLevel: 'tee',
    chainSecurityLevel: 'tee',
    provisioning: 'remote',
    tagsInOrder: true,
    origin: 'generated',
    purposes: ['sign', 'verify'],
    rootOfTrust: {
      verifiedBootKey: 'ab'.repeat(32),
      deviceLocked: true,
      verifiedBootState: 'verified',
      verifiedBootHash: 'cd'.repeat(32),
    },
    osVersion: 160_000,
    osPatchLevel: 202_608,
    vendorPatchLevel: 20_260_805,
    bootPatchLevel: 20_260_801,
    brand: 'google',
    device: 'caiman',
    product: 'caiman_beta',
    manufacturer: 'Google',
    model: 'Pixel 9 Pro',
  });
});

test('android-key: a device names what it attests, and nothing else', () => {
  const none = withHardware({ 713: undefined, 714: undefined, 715: undefined, 723: undefined });
  assert.deepEqual(examined({ description: none }).statement?.identities, {});
  const software = keyDescription({ 6: der.sequence(), 7: der.sequence() });
  assert.deepEqual(examined({ description: software }).statement?.identities, {});
});

suite('android-key: the challenge', () => {
  const challenged = (challenge: Uint8Array) => keyDescription({ 4: der.octetString(challenge) });

  test('may be the SHA-256 of what is to be signed', () => {
    const description = challenged(hash('sha256', nonce.toBeSigned, 'buffer'));
    assert.equal(examined({ description }).statement?.fresh, true);
  });

  for (const [what, challenge] of [
    ['another nonce', Buffer.from('token-of-the-challenge.thumbprint-of-another')],
    ['the token alone', nonce.token],
    ['nothing', new Uint8Array()],
    ['a part of it', nonce.toBeSigned.subarray(0, -1)],
  ] as const) {
    test(`${what} is not fresh`, () => {
      const { fault, statement } = examined({ description: challenged(challenge) });
      assert.deepEqual([fault, statement?.fresh], [null, false]);
    });
  }

  test('without a nonce nothing is said of freshness', () => {
    const { fault, statement } = examined({ description: challenged(text('anything')) }, null);
    assert.equal(fault, null);
    assert.equal(statement?.fresh, null);
  });
});

suite('android-key: a signature that is there', () => {
  test('verifies', () => assert.equal(examined({ statement: signature }).fault, null));

  const refused: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'over another nonce': { alg: -7, sig: signedBy(keys.target, nonce.token) },
    'by another key': { alg: -7, sig: signedBy(keys.attestation, nonce.toBeSigned) },
    'of another algorithm': { ...signature, alg: -257 },
  };
  for (const [what, statement] of Object.entries(refused)) {
    test(`${what}: android-signature`, () => {
      assert.equal(examined({ statement }).fault?.check, 'android-signature');
    });
  }
  test('without its algorithm, or an algorithm without it: malformed', () => {
    assert.equal(examined({ statement: { sig: signature.sig } }).fault?.check, 'malformed');
    assert.equal(examined({ statement: { alg: signature.alg } }).fault?.check, 'malformed');
  });
});

test('android-key: a statement with another member is malformed', () => {
  assert.equal(examined({ statement: { response: new Uint8Array() } }).fault?.check, 'malformed');
});

suite('android-key: the chain', () => {
  const [target, attestation, server, intermediate, root] = androidChain() as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];

  test('without its root: android-chain', () => {
    assert.equal(faultOf([target, attestation, server, intermediate]), 'android-chain');
  });
  test('of two: android-chain', () => assert.equal(faultOf([target, root]), 'android-chain'));
  test('without a KeyDescription: android-extension', () => {
    assert.equal(faultOf([attestation, server, intermediate, root]), 'android-extension');
  });
  test('with a KeyDescription above the target: android-extension', () => {
    const extensions = [extension(keyDescriptionOid, keyDescription())];
    const certificates = { attestation: { extensions } };
    assert.equal(examined({ certificates }).fault?.check, 'android-extension');
  });

  /**
   * The owner of an unlocked or exploited phone has an attested key that may sign, and the genuine chain above it. With it he signs a certificate for
   * a key in software, and a KeyDescription that says what he likes. Every signature verifies up to Google's root, and nothing is revoked.
   */
  test('extended by a key of the device: android-extension, for the genuine KeyDescription is above the forged one', () => {
    const forged = issue({
      subject: named({ commonName: 'Android Keystore Key' }),
      issuer: named({ commonName: 'Android Keystore Key' }),
      key: keyPair(),
      by: keys.target,
      serialNumber: '01',
      notBefore: 0,
      notAfter: now,
      extensions: [extension(keyDescriptionOid, keyDescription())],
    });
    const unlocked = androidChain({ description: keyDescription({ 4: text('of a nonce of his own') }) });
    assert.equal(faultOf([forged, ...unlocked]), 'android-extension');
    assert.equal(examinedChain([...unlocked]).statement?.fresh, false);
  });
});

suite('android-key: how the attestation key came to the device, and its level', () => {
  function claimed(recipe: Partial<AndroidRecipe>) {
    const claims = examined(recipe).statement?.claims;
    assert.equal(claims?.format, 'android-key');
    return [claims.provisioning, claims.chainSecurityLevel];
  }
  const strongBox = { subject: named({ title: 'StrongBox', serialNumber: 'ccd18b9b608d658e' }) };

  test('by Google, remotely: each certificate says its level', () => {
    assert.deepEqual(claimed({}), ['remote', 'tee']);
    for (const [organizationName, level] of [
      ['StrongBox', 'strongbox'],
      ['Software', 'software'],
    ] as const) {
      const subject = named({ organizationName });
      assert.deepEqual(claimed({ certificates: { attestation: { subject } } }), ['remote', level]);
    }
  });
  test('in the factory: a StrongBox says so, in its certificate or the one above', () => {
    assert.deepEqual(claimed({ provisioning: 'factory' }), ['factory', null]);
    for (const role of ['attestation', 'intermediate'] as const) {
      const certificates = { [role]: strongBox };
      assert.deepEqual(claimed({ provisioning: 'factory', certificates }), ['factory', 'strongbox']);
    }
  });
  test('nor does the name of a root say it', () => {
    const subject = named({ commonName: 'StrongBox roots' });
    const certificates = { root: { subject, issuer: subject }, intermediate: { issuer: subject } };
    assert.deepEqual(claimed({ provisioning: 'factory', certificates }), ['factory', null]);
  });
  test('in neither way: other names, or another number of certificates', () => {
    const others = [
      { commonName: 'Droid CA2', organizationName: 'Google' },
      { commonName: 'Droid CA1', organizationName: 'Google LLC' },
      { commonName: 'Droid CA2' },
    ];
    for (const other of others) {
      assert.deepEqual(claimed({ certificates: { intermediate: { subject: named(other) } } }), [null, null]);
    }
    const twoNames = [
      ...named({ commonName: 'Droid CA2', organizationName: 'Google LLC' }),
      ...named({ commonName: 'Droid CA2' }),
    ];
    assert.deepEqual(claimed({ certificates: { intermediate: { subject: twoNames } } }), [null, null]);
    const longFactory = { intermediate: strongBox };
    assert.deepEqual(claimed({ certificates: longFactory }), [null, null]);
    const shortRemote = {
      intermediate: { subject: named({ commonName: 'Droid CA2', organizationName: 'Google LLC' }) },
    };
    assert.deepEqual(claimed({ provisioning: 'factory', certificates: shortRemote }), [null, null]);
  });
});
