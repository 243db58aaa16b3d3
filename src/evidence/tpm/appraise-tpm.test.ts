import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { appraiseTpm } from './appraise-tpm.ts';
import type { TpmClaims } from './claims.ts';
import type { TpmReference } from './reference.ts';

const policy = 'ab'.repeat(32);
const device = { manufacturer: '53544D20', registered: true, model: 'ST33', version: '00010203' };
const claims: TpmClaims = {
  format: 'tpm',
  statement: 'attestation-object',
  hash: 'sha256',
  signature: 'tpmt',
  attributes: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'],
  authPolicy: policy,
  device,
  firmwareVersion: '0909090909090909',
};
const strictest: TpmReference = {
  sha1: false,
  unregisteredManufacturers: false,
  manufacturers: ['53544D20'],
  minimumVersions: { '53544D20': '00010203' },
  authPolicies: [policy],
};
const anything: TpmReference = {
  sha1: true,
  unregisteredManufacturers: true,
  manufacturers: null,
  minimumVersions: {},
  authPolicies: null,
};

const objections = (changed: Partial<TpmClaims>, reference: TpmReference = strictest) =>
  appraiseTpm({ ...claims, ...changed }, reference).map(({ check }) => check);

suite('appraisal of what a TPM says', () => {
  test('nothing to object to', () => {
    assert.deepEqual(objections({}), []);
  });

  for (const [what, changed, check] of [
    ['SHA-1', { hash: 'sha1' }, 'tpm-sha1'],
    [
      'a manufacturer that TCG does not know',
      { device: { ...device, registered: false } },
      'tpm-unregistered',
    ],
    ['an earlier version', { device: { ...device, version: '00010202' } }, 'tpm-version-floor'],
    ['a version of fewer digits', { device: { ...device, version: '10203' } }, 'tpm-version-floor'],
    ['a version of more digits', { device: { ...device, version: '000010203' } }, 'tpm-version-floor'],
    ['a key that a password opens too', { attributes: ['userWithAuth'] }, 'tpm-auth-policy'],
    ['a key without a policy', { authPolicy: null }, 'tpm-auth-policy'],
    ['a key of another policy', { authPolicy: 'cd'.repeat(32) }, 'tpm-auth-policy'],
  ] as const) {
    test(`${what}: ${check} alone, and nothing where the reference allows it`, () => {
      assert.deepEqual(objections(changed), [check]);
      assert.deepEqual(objections(changed, anything), []);
    });
  }

  test('another manufacturer, which has no least version', () => {
    assert.deepEqual(objections({ device: { ...device, manufacturer: '494E5443' } }), ['tpm-manufacturer']);
    const named: TpmReference = { ...strictest, manufacturers: null };
    assert.deepEqual(objections({ device: { ...device, manufacturer: '494E5443' } }, named), []);
    assert.deepEqual(objections({ device: { ...device, manufacturer: 'toString' } }, named), []);
  });

  test('a later version', () => {
    assert.deepEqual(objections({ device: { ...device, version: 'ffffffff' } }), []);
  });

  test('a least version of fewer digits is reached by none', () => {
    const short: TpmReference = { ...strictest, minimumVersions: { '53544D20': '10203' } };
    assert.deepEqual(objections({}, short), ['tpm-version-floor']);
  });

  test('a device that does not say what it is, where that is asked', () => {
    assert.deepEqual(objections({ device: null }), ['tpm-manufacturer', 'tpm-version-floor']);
    assert.deepEqual(objections({ device: null }, anything), []);
  });

  test('every objection, not the first alone', () => {
    assert.deepEqual(objections({ hash: 'sha1', authPolicy: null }), ['tpm-sha1', 'tpm-auth-policy']);
  });
});
