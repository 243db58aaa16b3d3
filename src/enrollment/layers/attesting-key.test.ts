import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Examination, Statement } from '#evidence';
import type { DeviceClass } from '#inventory';
import { digest } from '../identity.fixture.ts';
import type { AttestingKeyObservation } from '../observations.ts';
import { deriveAttestingKey, isNewsOfMany } from './attesting-key.ts';
import { phone } from './evidence.fixture.ts';

type Claims = Statement['claims'];

const yubiKey: Claims = {
  format: 'step',
  kind: 'yubikey',
  firmware: '5.7.1',
  slot: '9a',
  pinPolicy: null,
  touchPolicy: null,
  formFactor: null,
  fips: null,
};
const spki = digest('7a');

/** Evidence by this key, and a class that lets so many devices have it. */
function seen(key: AttestingKeyObservation | null | undefined, limit: number | null, claims: Claims) {
  const statement: Statement = { spki: digest('4d'), fresh: true, identities: {}, claims };
  const { format } = claims;
  const examination: Examination = { sha256: digest('5d'), format, fault: null, certificates: [], statement };
  const requirement = {
    roots: [],
    levels: null,
    device: { from: 'serialNumber', is: 'serialNumber', types: null },
    devicesPerAttestationKey: limit,
  } as const;
  const deviceClass: DeviceClass = {
    name: 'laptop',
    attestation: 'required',
    evidence: { [format]: requirement },
    approval: 'policy',
    templates: null,
    listeners: null,
    maximumValiditySeconds: null,
  };
  const observation = {
    offered: [format],
    examination,
    ...(key === undefined ? {} : { attestingKey: key }),
  };
  return [observation, { deviceClasses: { laptop: deviceClass } }] as const;
}

function derived(
  key: AttestingKeyObservation | null | undefined,
  {
    limit = 2,
    claims = yubiKey,
    verified = true,
    again = false,
  }: { limit?: number | null; claims?: Claims; verified?: boolean; again?: boolean } = {},
) {
  return deriveAttestingKey(...seen(key, limit, claims), { deviceClass: 'laptop', verified, again });
}

const onOthers = (otherDevices: number, known = false) => ({ spki, otherDevices, known });

describe('a key that attests', () => {
  test('may be on as many devices as the class lets, and waits on one more, with its digest in the words', () => {
    assert.deepEqual(derived(onOthers(0)).facts, { withinLimit: true });
    assert.deepEqual(derived(onOthers(1)).facts, { withinLimit: true });
    const { facts, reasons } = derived(onOthers(2));
    assert.deepEqual(facts, { withinLimit: false });
    assert.equal(
      reasons['attestation-shared'],
      `2 other devices got certificates by attestation key ${spki}, and 2 may have it`,
    );
  });

  test('is counted once for a device that got a certificate by it', () => {
    assert.deepEqual(derived(onOthers(9, true)).facts, { withinLimit: true });
  });

  test('may be on any number where the class sets no limit, as before there was one', () => {
    assert.deepEqual(derived(onOthers(9), { limit: null }).facts, { withinLimit: true });
    const before = deriveAttestingKey(
      { offered: [] },
      { deviceClasses: {} },
      { deviceClass: null, verified: true, again: false },
    );
    assert.deepEqual(before.facts, { withinLimit: true });
  });

  test('that any number may have is news at round numbers, and where it is of one device at the second', () => {
    const news = (claims: Claims, limit: number | null = null, known = false) =>
      [0, 1, 2, 8, 9, 10, 98, 99, 999, 9_999, 10_000].filter((others) =>
        isNewsOfMany(...seen(onOthers(others, known), limit, claims), 'laptop'),
      );
    assert.deepEqual(news(phone), [9, 99, 999, 9_999]);
    assert.deepEqual(news({ ...phone, provisioning: 'remote' }), [1, 9, 99, 999, 9_999]);
    assert.deepEqual(news(phone, 20_000), []);
    assert.deepEqual(news(phone, null, true), []);
    assert.equal(isNewsOfMany(...seen(null, null, phone), 'laptop'), false);
  });

  test('that was not sent is on nobody knows how many', () => {
    assert.deepEqual(derived(null).facts, { withinLimit: false });
    assert.deepEqual(derived(undefined).facts, { withinLimit: false });
    assert.deepEqual(derived(null, { claims: { ...yubiKey, kind: 'managed-device' } }).facts, {
      withinLimit: true,
    });
  });

  test('is none of evidence that is read elsewhere', () => {
    const claims: Claims = {
      format: 'external',
      verifier: 'knox',
      type: 'samsung-knox',
      level: 'tee',
      code: 'verified',
      answer: digest('aa'),
    };
    assert.deepEqual(derived(null, { claims }).facts, { withinLimit: true });
  });

  test('is no matter of evidence that is not verified, nor of a certificate that is there', () => {
    assert.deepEqual(derived(onOthers(9), { verified: false }).facts, { withinLimit: true });
    assert.deepEqual(derived(onOthers(9), { again: true }).facts, { withinLimit: true });
  });
});
