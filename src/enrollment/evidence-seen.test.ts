import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evidenceSeen } from './evidence-seen.ts';
import { digest } from './identity.fixture.ts';
import { examined } from './layers/evidence.fixture.ts';
import type { EvidenceObservation } from './observations.ts';

describe('what an operator sees of evidence', () => {
  const attestingKey = { spki: digest('7a'), otherDevices: 0, known: false };
  const observation: EvidenceObservation = {
    offered: ['tpm'],
    examination: examined,
    attestingKey,
  };

  test('is which it is, of which format, and the key that attests', () => {
    const seen = evidenceSeen(observation, true);
    assert.deepEqual([seen?.sha256, seen?.said.format], [examined.sha256, 'tpm']);
    assert.equal(seen?.said.attestingKey, attestingKey.spki);
  });

  test('is nothing where it is not verified: whoever sends it writes it', () => {
    assert.equal(evidenceSeen(observation, false), null);
  });
});
