import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AttestationResult } from '../appraisal.ts';
import { appraise } from '../appraise.ts';
import { nonce, now } from '../evidence.fixture.ts';
import { examine } from '../examine.ts';
import { type Properties, appleEvidence, appleValues } from './apple.fixture.ts';
import type { AppleReference } from './reference.ts';

function appraised(changed: Properties, reference: Partial<AppleReference> = {}): AttestationResult {
  return appraise(examine(appleEvidence(changed), nonce), appleValues(reference), null, now);
}

test('apple: nothing objects', () => {
  assert.deepEqual(appraised({}), { anchors: 'apple roots', level: 'secure-enclave', objections: [] });
});

suite('apple: each check alone', () => {
  const cases: readonly (readonly [string, Properties])[] = [
    ['apple-os-version', { '10.1': '26.0.9' }],
    ['apple-os-version', { '10.1': '9.9' }],
    ['apple-os-version', { '10.1': '26.1 beta' }],
    ['apple-os-version', { '10.1': null }],
    ['apple-sepos-version', { '10.2': '26.0' }],
    ['apple-sepos-version', { '10.2': null }],
    ['apple-system-integrity-protection', { '13.1': '1' }],
    ['apple-system-integrity-protection', { '13.1': 'x' }],
    ['apple-system-integrity-protection', { '13.1': null }],
    ['apple-secure-boot', { '13.2': 'Reduced Security' }],
    ['apple-secure-boot', { '13.2': 'x' }],
    ['apple-secure-boot', { '13.2': null }],
    ['apple-kernel-extensions', { '13.3': '1' }],
    ['apple-kernel-extensions', { '13.3': 'x' }],
    ['apple-kernel-extensions', { '13.3': null }],
  ];
  for (const [check, changed] of cases) {
    test(`${check}: ${JSON.stringify(changed)}`, () => {
      assert.deepEqual(
        appraised(changed).objections.map((each) => each.check),
        [check],
      );
    });
  }

  test('a phone has none of what a Mac has', () => {
    const phone = { '13.1': null, '13.2': null, '13.3': null };
    const reference = {
      requireSystemIntegrityProtection: false,
      requireFullSecurity: false,
      forbidThirdPartyKernelExtensions: false,
    };
    assert.deepEqual(appraised(phone, reference).objections, []);
  });
  test('newer versions, and those with more numbers', () => {
    for (const version of ['26.1.0', '26.1.1', '26.10', '27']) {
      assert.deepEqual(appraised({ '10.1': version }).objections, [], version);
    }
  });
  test('a floor that is no version is reached by none', () => {
    assert.deepEqual(
      appraised({}, { minimumOsVersion: 'Tahoe' }).objections.map((each) => each.check),
      ['apple-os-version'],
    );
  });
});
