import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { extendedKeyUsages } from '#x509';
import type { ReferenceValues, TrustAnchors } from '../appraisal.ts';
import { appraise } from '../appraise.ts';
import { evidenceFormats } from '../evidence.ts';
import { activationEvidence } from './activation-evidence.ts';
import { examineActivation } from './credential-activation.ts';
import { certify, eccKey, root, tpmName } from './statement.fixture.ts';
import { aes, attestationKey, endorsementKey, ids, scheme } from './structures.fixture.ts';

const [ek, ak] = [eccKey(), eccKey()];
const now = Date.UTC(2026, 10, 26);
const anchors: TrustAnchors = {
  name: 'makers',
  format: 'endorsement',
  level: 'discrete-tpm',
  roots: [Buffer.from(root).toString('base64')],
  intermediates: [],
};
const values: ReferenceValues = {
  anchors: [anchors],
  levels: null,
  endorsement: { unregisteredManufacturers: false, manufacturers: null, minimumVersions: {} },
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function evidence(names = [tpmName()]) {
  const { keys } = examineActivation({
    endorsementCertificate: certify({
      spki: ek.spki,
      names,
      keyUsage: ['keyAgreement'],
      usages: [extendedKeyUsages.tcgEndorsementKey],
    }),
    endorsementKey: ek.publicArea({ attributes: endorsementKey, symmetric: aes(128) }),
    attestationKey: ak.publicArea({
      attributes: attestationKey,
      scheme: scheme(ids.ecdsa, ids.sha256),
    }),
    creation: null,
  });
  assert.ok(keys !== null);
  return activationEvidence(keys, { sha256: 'aa'.repeat(32), sent: [root], fresh: true });
}

const checks = (changed: Partial<ReferenceValues> = {}, names = [tpmName()]) =>
  appraise(evidence(names), { ...values, ...changed }, null, now).objections.map(({ check }) => check);

suite('what an activation proves', () => {
  test('is of the attestation key, and names the endorsement key', () => {
    const { statement, certificates } = evidence();
    assert.equal(statement?.spki, sha256(ak.spki));
    assert.deepEqual(statement.identities, { endorsementKey: sha256(ek.spki) });
    assert.equal(statement.fresh, true);
    assert.equal(certificates.length, 2);
    assert.deepEqual(checks(), []);
  });

  for (const format of evidenceFormats.filter((each) => each !== 'endorsement')) {
    test(`a root of ${format} vouches for no endorsement key`, () => {
      assert.deepEqual(checks({ anchors: [{ ...anchors, format }] }), ['certification-path']);
    });
  }

  test('nothing is taken where no reference values are set for it', () => {
    const { endorsement: _, ...others } = values;
    const { objections } = appraise(evidence(), others, null, now);
    assert.deepEqual(
      objections.map(({ check }) => check),
      ['reference-values'],
    );
  });

  test('a TPM that its certificate does not name: ek-certificate-san', () => {
    assert.deepEqual(checks({}, []), ['ek-certificate-san']);
  });

  test('a manufacturer that TCG does not know, unless the class takes it: tpm-unregistered', () => {
    const software = [tpmName({ manufacturer: 'id:00001014' })];
    assert.deepEqual(checks({}, software), ['tpm-unregistered']);
    const taken = { ...values.endorsement!, unregisteredManufacturers: true };
    assert.deepEqual(checks({ endorsement: taken }, software), []);
  });
});
