import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { der } from '#x509';
import type { AttestationResult, ReferenceValues } from '../appraisal.ts';
import { appraise } from '../appraise.ts';
import { anchorsOf, nonce, now } from '../evidence.fixture.ts';
import { examine } from '../examine.ts';
import type { StepReference } from './reference.ts';
import {
  type Properties,
  firmware,
  formFactor,
  managedDevice,
  policies,
  root,
  serialNumber,
  stepEvidence,
  stepValues,
} from './step.fixture.ts';

function appraised(properties: Properties, values: ReferenceValues = stepValues()): AttestationResult {
  return appraise(examine(stepEvidence({ properties }), nonce), values, null, now);
}

test('step: nothing objects', () => {
  assert.deepEqual(appraised({}), { anchors: 'step roots', level: 'security-key', objections: [] });
});

suite('step: each check alone', () => {
  const cases: readonly (readonly [string, Properties, Partial<StepReference>?])[] = [
    ['step-firmware', { [firmware]: Uint8Array.of(5, 6, 9) }],
    ['step-firmware', { [firmware]: null }],
    ['step-firmware', {}, { minimumFirmware: '5.7.2' }],
    ['step-pin-policy', { [policies]: Uint8Array.of(1, 3) }],
    ['step-pin-policy', { [policies]: Uint8Array.of(0, 3) }],
    ['step-touch-policy', { [policies]: Uint8Array.of(2, 1) }],
    ['step-touch-policy', { [policies]: Uint8Array.of(2, 9) }],
    ['step-form-factor', { [formFactor]: Uint8Array.of(4) }],
    ['step-form-factor', { [formFactor]: null }],
  ];
  for (const [at, [check, properties, reference]] of cases.entries()) {
    test(`${check} (${at})`, () => {
      const { objections } = appraised(properties, stepValues(reference));
      assert.deepEqual(
        objections.map((each) => each.check),
        [check],
      );
    });
  }
});

suite('step: a managed device', () => {
  const managed: Properties = {
    [firmware]: null,
    [serialNumber]: null,
    [policies]: null,
    [formFactor]: null,
    [managedDevice]: der.sequence(der.utf8String('device-1')),
  };

  test('has the level of its anchors', () => {
    const values: ReferenceValues = {
      anchors: [anchorsOf('step', [root], { level: 'discrete-tpm' })],
      levels: ['discrete-tpm'],
      step: { minimumFirmware: null, pinPolicies: null, touchPolicies: null, formFactors: null },
    };
    const expected = { anchors: 'step roots', level: 'discrete-tpm', objections: [] };
    assert.deepEqual(appraised(managed, values), expected);
  });
  test('says nothing of what is asked of a YubiKey', () => {
    assert.deepEqual(
      appraised(managed).objections.map(({ check }) => check),
      ['assurance-level', 'step-firmware', 'step-pin-policy', 'step-touch-policy', 'step-form-factor'],
    );
  });
});
