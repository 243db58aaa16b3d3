import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Examination, Statement } from '#evidence';
import type { DeviceClass } from '#inventory';
import { digest } from '../identity.fixture.ts';
import type { AttestingKeyObservation } from '../observations.ts';
import { deriveAttestingKey } from './attesting-key.ts';

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

function derived(
  key: AttestingKeyObservation | null | undefined,
  {
    limit = 2,
    claims = yubiKey,
    verified = true,
    again = false,
  }: { limit?: number | null; claims?: Claims; verified?: boolean; again?: boolean } = {},
) {
  const statement: Statement = { spki: digest('4d'), fresh: true, identities: {}, claims };
  const { format } = claims;
  const examination: Examination = { sha256: digest('5d'), format, fault: null, certificates: [], statement };
  const requirement = {
    roots: [],
    levels: null,
    device: { from: 'serialNumber', is: 'serialNumber', types: null },
    ...(limit === undefined ? {} : { devicesPerAttestationKey: limit }),
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
  const asked = { deviceClass: 'laptop', verified, again };
  return deriveAttestingKey(observation, { deviceClasses: { laptop: deviceClass } }, asked);
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
