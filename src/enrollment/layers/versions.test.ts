import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Examination } from '#evidence';
import { digest } from '../identity.fixture.ts';
import type { EvidenceObservation } from '../observations.ts';
import { deriveVersions } from './versions.ts';

const examination: Examination = {
  sha256: digest('1e'),
  format: 'apple',
  fault: null,
  certificates: [],
  statement: {
    spki: digest('2e'),
    fresh: true,
    identities: {},
    claims: {
      format: 'apple',
      osVersion: '17.4',
      sepOsVersion: null,
      llbVersion: '10',
      softwareUpdateDeviceId: null,
      systemIntegrityProtection: null,
      secureBoot: null,
      thirdPartyKernelExtensions: null,
    },
  },
};
const verified = { verified: true, again: false };

function derived(versions: EvidenceObservation['versions'], asked = verified) {
  const observation = { offered: ['apple'], examination, ...(versions === undefined ? {} : { versions }) };
  return deriveVersions(observation, asked);
}

describe('versions of a device', () => {
  test('have not gone back where they are those of before, or higher', () => {
    assert.deepEqual(derived({ osVersion: '17.4', llbVersion: '9.9' }).facts, { kept: true });
  });

  test('have gone back where one is lower, or is not said any more, and the words say which', () => {
    const { facts, reasons } = derived({ osVersion: '17.4.1', sepOsVersion: '3', llbVersion: '10' });
    assert.deepEqual(facts, { kept: false });
    assert.match(
      reasons['attestation-rollback'] ?? '',
      /: osVersion is 17\.4, and was 17\.4\.1; sepOsVersion is not said, and was 3$/,
    );
  });

  test('of the first evidence there is nothing to go back from, nor in an entry of before they were kept', () => {
    assert.deepEqual(derived(null).facts, { kept: true });
    assert.deepEqual(derived(undefined).facts, { kept: true });
    assert.deepEqual(deriveVersions(null, verified).facts, { kept: true });
    assert.deepEqual(deriveVersions({ offered: [] }, verified).facts, { kept: true });
  });

  test('are no matter of evidence that is not verified, which is refused for that, nor of a certificate that is there', () => {
    const higher = { osVersion: '18' };
    assert.deepEqual(derived(higher).facts, { kept: false });
    assert.deepEqual(derived(higher, { verified: false, again: false }).facts, { kept: true });
    assert.deepEqual(derived(higher, { verified: true, again: true }).facts, { kept: true });
  });
});
