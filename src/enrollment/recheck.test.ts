import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from '#ca';
import type { Examination } from '#evidence';
import { device, digest, noon, referencesWith, template } from './identity.fixture.ts';
import { recheckEvidence } from './recheck.ts';

const key = digest('4d');
const examination: Examination = {
  sha256: digest('3d'),
  format: 'external',
  fault: null,
  certificates: [],
  statement: {
    spki: key,
    fresh: true,
    identities: { serialNumber: device.serialNumber!, endorsementKey: digest('5d') },
    claims: {
      format: 'external',
      verifier: 'knox',
      type: 'samsung-knox',
      level: 'virtual-tpm',
      code: 'verified',
      answer: digest('6d'),
    },
  },
};
const ofClass = {
  name: device.deviceClass,
  attestation: 'required',
  evidence: {
    external: {
      roots: [],
      levels: ['tee', 'virtual-tpm'],
      device: { from: 'serialNumber', is: 'serialNumber', types: null },
      external: { verifiers: ['knox'] },
    },
  },
  approval: 'policy',
  templates: null,
  listeners: null,
  maximumValiditySeconds: null,
} as const;
const hardware: Template = { ...template, keyProtection: 'hardware' };

function recheck({ verified = true, ekSha256 = digest('5d'), templates = [template] } = {}) {
  const references = {
    ...referencesWith({}),
    templates: Object.fromEntries(templates.map((each) => [each.name, each])),
    deviceClasses: { [ofClass.name]: ofClass },
  };
  const entry = {
    observations: {
      evidence: { offered: ['external'], examination },
      device: { ...device, identifiers: { ekSha256 } },
    },
    facts: { deviceClass: ofClass.name, template: template.name, context: { evidence: { verified } } },
    time: noon,
  };
  const problems = recheckEvidence(entry, references, {}, { observed: null, fallen: [] });
  return problems?.map(({ check }) => check) ?? null;
}

describe('evidence that is asked again', () => {
  test('holds where nothing has changed', () => {
    assert.deepEqual(recheck(), []);
  });

  test('is none where it was not verified: the certificate rests on something else', () => {
    assert.equal(recheck({ verified: false }), null);
  });

  test('is of the level that its template demands, while there is that template', () => {
    assert.deepEqual(recheck({ templates: [hardware] }), ['template-level']);
    assert.deepEqual(recheck({ templates: [] }), []);
  });

  test('of a TPM that was replaced does not hold, though an earlier version did not ask', () => {
    assert.deepEqual(recheck({ ekSha256: digest('7d') }), ['device']);
  });
});
