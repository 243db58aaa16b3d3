import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { encode } from 'cborg';
import { der } from '#x509';
import { keyPair, named, nonce, signedBy } from '../evidence.fixture.ts';
import type { Nonce } from '../evidence.ts';
import { examine } from '../examine.ts';
import type { StepClaims } from './claims.ts';
import {
  type Properties,
  type StepRecipe,
  firmware,
  formFactor,
  keys,
  managedDevice,
  policies,
  serialNumber,
  signature,
  stepEvidence,
} from './step.fixture.ts';

function examined(recipe: Partial<StepRecipe>, given: Nonce | null = nonce) {
  return examine(stepEvidence(recipe), given);
}

function claimsOf(recipe: Partial<StepRecipe>): StepClaims {
  const claims = examined(recipe).statement?.claims;
  assert.equal(claims?.format, 'step');
  return claims;
}

const notYubiKey: Properties = {
  [firmware]: null,
  [serialNumber]: null,
  [policies]: null,
  [formFactor]: null,
};
const managed: Properties = { ...notYubiKey, [managedDevice]: der.sequence(der.utf8String('device-1')) };

test('step: what is seen of a YubiKey', () => {
  const { fault, statement } = examined({});
  assert.equal(fault, null);
  assert.deepEqual(statement, {
    spki: hash('sha256', keys.leaf.spki),
    fresh: true,
    identities: { serialNumber: '29177301' },
    claims: {
      format: 'step',
      kind: 'yubikey',
      firmware: '5.7.1',
      slot: '9a',
      pinPolicy: 'once',
      touchPolicy: 'cached',
      formFactor: 'usb-c-keychain',
      fips: false,
    },
  });
});

suite('step: a managed device', () => {
  test('is known by its id', () => {
    for (const id of [der.utf8String('device-1'), der.printableString('device-1')]) {
      const { statement } = examined({ properties: { ...managed, [managedDevice]: der.sequence(id) } });
      assert.deepEqual(statement?.identities, { serialNumber: 'device-1' });
    }
  });
  test('a wrong encoding: malformed', () => {
    for (const value of [
      der.utf8String('device-1'),
      der.sequence(),
      der.sequence(der.utf8String('device-1'), der.null()),
      der.sequence(der.octetString(Buffer.from('device-1'))),
      der.sequence(der.utf8String('')),
    ]) {
      const { fault } = examined({ properties: { ...managed, [managedDevice]: value } });
      assert.equal(fault?.check, 'malformed');
    }
  });
  test('of both kinds, or of neither: step-device', () => {
    const both = { [managedDevice]: der.sequence(der.utf8String('device-1')) };
    assert.equal(examined({ properties: both }).fault?.check, 'step-device');
    assert.equal(examined({ properties: notYubiKey }).fault?.check, 'step-device');
  });
});

suite('step: the signature', () => {
  for (const algorithm of ['ec-p256', 'ec-p384', 'rsa-2048', 'ed25519'] as const) {
    test(`by a key of ${algorithm}`, () => {
      const key = keyPair(algorithm);
      const recipe = { certificates: { leaf: { key } }, statement: signature(key) };
      assert.equal(examined(recipe).statement?.fresh, true);
      const another = { ...recipe, statement: signature(key, nonce.token) };
      assert.equal(examined(another).statement?.fresh, false);
    });
  }

  const refused: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'by another key': signature(keyPair()),
    'by the key of f9': signature(keys.f9),
    'over the token alone': signature(keys.leaf, nonce.token),
    'over nothing': signature(keys.leaf, new Uint8Array()),
    'of another algorithm': { ...signature(), alg: -257 },
    'of an algorithm for another curve': { ...signature(), alg: -35 },
    'that is empty': { ...signature(), sig: encode(new Uint8Array()) },
  };
  for (const [what, statement] of Object.entries(refused)) {
    test(`${what} is not fresh`, () => {
      const { fault, statement: seen } = examined({ statement });
      assert.deepEqual([fault, seen?.fresh], [null, false]);
    });
  }

  const malformed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'not wrapped in CBOR': { sig: signedBy(keys.leaf, nonce.toBeSigned) },
    'with octets after it': { sig: Buffer.concat([signature().sig, Buffer.of(0)]) },
    'that is CBOR of something else': { sig: encode('signature') },
    'that is text': { sig: 'signature' },
    'with an algorithm in text': { alg: 'ES256' },
    'with another member beside it': { ver: '1.0' },
  };
  for (const [what, statement] of Object.entries(malformed)) {
    test(`${what}: malformed`, () => assert.equal(examined({ statement }).fault?.check, 'malformed'));
  }

  test('without a nonce it proves nothing, and nothing is said of freshness', () => {
    const { fault, statement } = examined({ statement: signature(keyPair()) }, null);
    assert.equal(fault, null);
    assert.equal(statement?.fresh, null);
  });
});

suite('step: extensions of a YubiKey', () => {
  test('policies', () => {
    const pins = [null, 'never', 'once', 'always', 'match-once', 'match-always', null];
    const touches = [null, 'never', 'always', 'cached', null];
    for (const [pin, pinPolicy] of pins.entries()) {
      for (const [touch, touchPolicy] of touches.entries()) {
        const claims = claimsOf({ properties: { [policies]: Uint8Array.of(pin, touch) } });
        assert.deepEqual([claims.pinPolicy, claims.touchPolicy], [pinPolicy, touchPolicy]);
      }
    }
  });
  test('form factors, of the FIPS series with the highest bit', () => {
    for (const [octet, expected] of [
      [0, [null, false]],
      [1, ['usb-a-keychain', false]],
      [0x85, ['usb-c-lightning', true]],
      [7, ['usb-c-bio', false]],
      [0x41, [null, false]],
    ] as const) {
      const claims = claimsOf({ properties: { [formFactor]: Uint8Array.of(octet) } });
      assert.deepEqual([claims.formFactor, claims.fips], expected);
    }
  });
  test('the slot is in the name', () => {
    for (const [commonName, slot] of [
      ['YubiKey PIV Attestation 82', '82'],
      ['YubiKey PIV Attestation 9a.', null],
      ['slot 9a', null],
    ] as const) {
      assert.equal(claimsOf({ certificates: { leaf: { subject: named({ commonName }) } } }).slot, slot);
    }
  });
  test('one that is missing is none', () => {
    const { identities, claims } = examined({
      properties: { ...notYubiKey, [firmware]: Uint8Array.of(4, 3, 0) },
    }).statement!;
    assert.deepEqual(identities, {});
    assert.deepEqual(claims, {
      format: 'step',
      kind: 'yubikey',
      firmware: '4.3.0',
      slot: '9a',
      pinPolicy: null,
      touchPolicy: null,
      formFactor: null,
      fips: null,
    });
  });
  for (const [what, changed] of Object.entries({
    'a firmware of two octets': { [firmware]: Uint8Array.of(5, 7) },
    'a firmware in an OCTET STRING': { [firmware]: der.octetString(Uint8Array.of(5, 7, 1)) },
    'a serial number that is no INTEGER': { [serialNumber]: der.octetString(Uint8Array.of(1)) },
    'a negative serial number': { [serialNumber]: der.integer(-1) },
    'policies of three octets': { [policies]: Uint8Array.of(2, 3, 1) },
    'a form factor of no octets': { [formFactor]: new Uint8Array() },
  })) {
    test(`${what}: malformed`, () => {
      assert.equal(examined({ properties: changed }).fault?.check, 'malformed');
    });
  }
  test('a serial number of nine octets: too-large', () => {
    const properties = { [serialNumber]: der.integer(2n ** 64n) };
    assert.equal(examined({ properties }).fault?.check, 'too-large');
  });
});
