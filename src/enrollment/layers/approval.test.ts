import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digest } from '../identity.fixture.ts';
import type { ApprovalObservation, EvidenceSeen } from '../observations.ts';
import type { References } from '../references.ts';
import { deriveApproval } from './approval.ts';

const references: References = {
  listeners: {},
  templates: {},
  deviceClasses: {},
  identities: {},
  issuers: {},
  limits: {
    source: { burst: 1, count: 1, periodSeconds: 1 },
    device: { burst: 1, count: 1, periodSeconds: 1 },
    template: { burst: 1, count: 1, periodSeconds: 1 },
    templates: {},
  },
};
const seen: EvidenceSeen = {
  sha256: digest('1e'),
  said: { format: 'tpm', versions: { firmware: '1.9' }, attestingKey: digest('2e') },
};
const lifts = ['attestation-rollback', 'attestation-shared', 'class-approval'];
const approval: ApprovalObservation = {
  id: 'approval-1',
  spki: digest('3e'),
  names: digest('4e'),
  lifts,
  evidence: seen,
  createdAt: 1,
  expiresAt: 1_000,
  by: 'ada',
};

function saying(said: Partial<EvidenceSeen['said']>): EvidenceSeen {
  return { sha256: digest('5e'), said: { ...seen.said, ...said } };
}

function lifted(changes: Partial<ApprovalObservation>, evidence: EvidenceSeen | null): readonly string[] {
  const asked = {
    deviceClass: 'laptop',
    spki: approval.spki,
    names: approval.names,
    time: 10,
    again: false,
    deniedAt: null,
    ownNames: false,
    evidence,
  };
  const { facts } = deriveApproval({ ...approval, ...changes }, references, asked);
  assert.equal(facts.granted, true);
  return facts.lifts;
}

describe('what was objected to in evidence', () => {
  test('is lifted for the evidence that was seen, and for other evidence that says the same', () => {
    assert.deepEqual(lifted({}, seen), lifts);
    assert.deepEqual(lifted({}, saying({})), lifts);
    // Another version of ours may read more of the same evidence.
    assert.deepEqual(lifted({}, { ...saying({ versions: {} }), sha256: seen.sha256 }), lifts);
  });

  const others: readonly [string, EvidenceSeen | null][] = [
    ['a lower version', saying({ versions: { firmware: '0.1' } })],
    ['a version less', saying({ versions: {} })],
    ['another attestation key', saying({ attestingKey: digest('6e') })],
    ['no attestation key', saying({ attestingKey: null })],
    ['another format', saying({ format: 'endorsement' })],
    ['nothing that is verified', null],
  ];
  for (const [what, evidence] of others) {
    test(`is not lifted for evidence of ${what}, and all else is`, () => {
      assert.deepEqual(lifted({}, evidence), ['class-approval']);
    });
  }

  test('is not lifted where nobody wrote down what was seen', () => {
    assert.deepEqual(lifted({ evidence: null }, seen), ['class-approval']);
    assert.deepEqual(lifted({ evidence: null }, null), ['class-approval']);
  });

  test('is lifted for any by an approval beforehand that names it', () => {
    const beforehand = { spki: null, names: null, evidence: null };
    assert.deepEqual(lifted(beforehand, seen), lifts);
    assert.deepEqual(lifted({ ...beforehand, lifts: ['class-approval'] }, seen), ['class-approval']);
  });

  test('was lifted for any in entries from before it was kept, which say the same again', () => {
    const { evidence: _, ...before } = approval;
    const facts = deriveApproval(before, references, {
      deviceClass: 'laptop',
      spki: approval.spki,
      names: approval.names,
      time: 10,
      again: false,
      deniedAt: null,
      ownNames: false,
      evidence: seen,
    }).facts;
    assert.deepEqual(facts.lifts, lifts);
  });
});
