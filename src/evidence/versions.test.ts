import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { AndroidClaims } from './android/claims.ts';
import type { AppleClaims } from './apple/claims.ts';
import type { StepClaims } from './step/claims.ts';
import type { EndorsementClaims, TpmClaims } from './tpm/claims.ts';
import { versionsOf, versionsThatWentBack } from './versions.ts';

const android = {
  format: 'android-key',
  osVersion: 150000,
  osPatchLevel: 202609,
  vendorPatchLevel: 20260905,
  bootPatchLevel: 20260901,
} as AndroidClaims;
const apple = {
  format: 'apple',
  osVersion: '17.4.1',
  sepOsVersion: '1234.5',
  llbVersion: '10151.101.3',
} as AppleClaims;
const step = { format: 'step', firmware: '5.7.1' } as StepClaims;
const device = { manufacturer: '53544D20', registered: true, model: 'ST33', version: '0047000A' };
const endorsement: EndorsementClaims = { format: 'endorsement', device };

suite('what evidence says of versions', () => {
  test('of Android: the system and its three patch levels', () => {
    assert.deepEqual(versionsOf(android), {
      osVersion: '150000',
      osPatchLevel: '2026.09',
      vendorPatchLevel: '2026.09.05',
      bootPatchLevel: '2026.09.01',
    });
  });

  test('of Apple: the system, that of the Secure Enclave, and the bootloader', () => {
    assert.deepEqual(versionsOf(apple), {
      osVersion: '17.4.1',
      sepOsVersion: '1234.5',
      llbVersion: '10151.101.3',
    });
  });

  test('of a YubiKey: its firmware', () => {
    assert.deepEqual(versionsOf(step), { firmware: '5.7.1' });
  });

  test('of a TPM: what its certificate says, and not what the TPM signs, which it disguises', () => {
    assert.deepEqual(versionsOf(endorsement), { firmware: '71.10' });
    const tpm = { format: 'tpm', device: null, firmwareVersion: '0011223344556677' } as TpmClaims;
    assert.deepEqual(versionsOf(tpm), {});
    assert.deepEqual(versionsOf({ ...tpm, device }), { firmware: '71.10' });
  });

  test('what is not said, or in a form without order, is absent', () => {
    assert.deepEqual(versionsOf({ ...android, osVersion: null, osPatchLevel: null }), {
      vendorPatchLevel: '2026.09.05',
      bootPatchLevel: '2026.09.01',
    });
    assert.deepEqual(versionsOf({ ...apple, osVersion: '17.4 beta', llbVersion: null }), {
      sepOsVersion: '1234.5',
    });
    assert.deepEqual(versionsOf({ ...endorsement, device: { ...device, version: '13' } }), {});
  });
});

suite('versions that went back', () => {
  const before = { osVersion: '17.4.1', sepOsVersion: '20' };

  test('the same and higher ones have not, nor has one that was not said before', () => {
    assert.deepEqual(versionsThatWentBack(before, before), []);
    assert.deepEqual(versionsThatWentBack(before, { ...before, osVersion: '17.10' }), []);
    assert.deepEqual(versionsThatWentBack({}, before), []);
  });

  test('a lower one has, and one that is not said any more', () => {
    assert.deepEqual(versionsThatWentBack(before, { ...before, osVersion: '17.4' }), ['osVersion']);
    assert.deepEqual(versionsThatWentBack(before, { osVersion: '18' }), ['sepOsVersion']);
    assert.deepEqual(versionsThatWentBack(before, {}), ['osVersion', 'sepOsVersion']);
  });

  test('a month is older than each of its days, and the day than the month that follows', () => {
    assert.deepEqual(versionsThatWentBack({ patch: '2026.09.05' }, { patch: '2026.09' }), ['patch']);
    assert.deepEqual(versionsThatWentBack({ patch: '2026.09.05' }, { patch: '2026.10' }), []);
    assert.deepEqual(versionsThatWentBack({ patch: '2026.09' }, { patch: '2026.09.01' }), []);
  });

  test('a name of the language itself is a name like any other', () => {
    const odd = JSON.parse('{"__proto__":"1","constructor":"2"}') as Record<string, string>;
    assert.deepEqual(versionsThatWentBack(odd, {}).toSorted(), ['__proto__', 'constructor']);
  });

  test('whatever is remembered in turn, nothing is ever below what was remembered first', () => {
    const versions = fc.dictionary(
      fc.constantFrom('a', 'b'),
      fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }).map((numbers) => numbers.join('.')),
    );
    fc.assert(
      fc.property(fc.array(versions, { maxLength: 8 }), ([first = {}, ...more]) => {
        let remembered: Record<string, string> = first;
        for (const each of more) {
          if (versionsThatWentBack(remembered, each).length === 0) remembered = each;
        }
        assert.deepEqual(versionsThatWentBack(first, remembered), []);
      }),
    );
  });
});
