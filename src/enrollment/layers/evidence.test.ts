import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from '#ca';
import type { Examination, Statement } from '#evidence';
import { device, digest, noon, referencesWith, template } from '../identity.fixture.ts';
import type { EvidenceObservation } from '../observations.ts';
import { deriveEvidence, lacksListAlone } from './evidence.ts';
import { TestCa } from '../../../test/harness/pki.ts';

type Claims = Statement['claims'];

const key = digest('4d');
const ekSha256 = digest('5d');
const byEndorsementKey = { from: 'endorsementKey', is: 'ekSha256', types: null } as const;
const values = { unregisteredManufacturers: false, manufacturers: null, minimumVersions: {} };
const takesBoth = {
  name: device.deviceClass,
  attestation: 'required',
  evidence: {
    tpm: {
      roots: [],
      levels: null,
      device: byEndorsementKey,
      tpm: { ...values, sha1: false, authPolicies: null },
    },
    endorsement: { roots: [], levels: null, device: byEndorsementKey, endorsement: values },
  },
  approval: 'policy',
  templates: null,
  listeners: null,
  maximumValiditySeconds: null,
} as const;
const attestationKeys: Template = { ...template, name: 'attestation-key', authentication: ['endorsement'] };
const tpm: Claims = {
  format: 'tpm',
  statement: 'tcg-attest-tpm-certify',
  hash: 'sha256',
  signature: 'tpmt',
  attributes: [],
  authPolicy: null,
  device: null,
  firmwareVersion: '',
};

function derived(claims: Claims, of: Template, more: { attester?: object; ekSha256?: string } = {}) {
  const statement: Statement = { spki: key, fresh: true, identities: { endorsementKey: ekSha256 }, claims };
  const { format } = claims;
  const examination: Examination = { sha256: key, format, fault: null, certificates: [], statement };
  const references = {
    ...referencesWith({}),
    templates: { [of.name]: of },
    deviceClasses: { [takesBoth.name]: takesBoth },
  };
  const identifiers = { ekSha256: more.ekSha256 ?? ekSha256 };
  const attester = (more.attester ?? null) as EvidenceObservation['attester'] & object;
  return deriveEvidence(
    { offered: [format], examination, status: null, earlier: null, attester },
    references,
    {
      device: { ...device, identifiers },
      template: of.name,
      spki: key,
      issued: null,
      approvedAt: null,
      time: noon,
    },
  );
}

/** Who could choose would certify a key that signs anything as one that attests, or any key by a TPM that holds another. */
describe('of a class that takes both', () => {
  const endorsement: Claims = { format: 'endorsement', device: null };

  test('an endorsement key proves attestation keys', () => {
    const { facts } = derived(endorsement, attestationKeys);
    assert.deepEqual([facts.required, facts.sound, facts.forKey, facts.forDevice], [true, true, true, true]);
    // No root is believed here.
    assert.deepEqual([facts.trusted, facts.verified], [false, false]);
  });

  test('and no other keys', () => {
    const { facts, reasons } = derived(endorsement, template);
    assert.deepEqual([facts.sound, facts.verified], [false, false]);
    assert.match(reasons['attestation-sound'] ?? '', /an endorsement key proves no others$/);
  });

  test('and nothing else proves attestation keys', () => {
    const { facts, reasons } = derived(tpm, attestationKeys);
    assert.deepEqual([facts.sound, facts.verified], [false, false]);
    assert.match(reasons['attestation-sound'] ?? '', /which endorsement keys alone prove$/);
    assert.equal(derived(tpm, template).facts.sound, true);
  });
});

/** What we said of an attestation key ourselves is good for as long as we stand by it, and of its TPM's device alone. */
describe('an attestation key that we have certified', () => {
  const trusted = (attester: object) =>
    derived(tpm, template, { attester }).reasons['attestation-trusted'] ?? '';

  test('attests no more once its certificate is revoked', () => {
    assert.match(trusted({ deviceId: device.id, revoked: true }), /attestation key is revoked$/);
    assert.doesNotMatch(trusted({ deviceId: device.id, revoked: false }), /attestation key is/);
  });

  test('attests for no other device', () => {
    assert.match(trusted({ deviceId: 'another', revoked: false }), /was issued to device another$/);
  });

  test('is of a TPM that the device has still', () => {
    const { facts, reasons } = derived(tpm, template, { ekSha256: digest('6d') });
    assert.equal(facts.forDevice, false);
    assert.match(reasons['attestation-device'] ?? '', /ekSha256/);
  });
});

/** That the operator's list is old is nobody else's fault: whoever waits for a new one is taken then, and what is wrong besides stays wrong. */
describe('a list of revoked keys that is lacking or too old', () => {
  const makers = TestCa.root('Makers', { notBefore: noon - 86_400_000 });
  const leaf = makers.endEntity({ subject: [{ type: 'commonName', value: 'AK' }], notBefore: noon - 1000 });
  const certificates = [Buffer.from(leaf.certificate).toString('base64')];
  const statement: Statement = {
    spki: key,
    fresh: true,
    identities: { endorsementKey: ekSha256 },
    claims: tpm,
  };
  const anchors = {
    name: 'makers',
    format: 'tpm',
    level: 'discrete-tpm',
    roots: [Buffer.from(makers.certificate).toString('base64')],
    intermediates: [],
  } as const;
  const alone = (
    status: NonNullable<EvidenceObservation['status']> | null,
    {
      maximumStatusAgeSeconds = 3600,
      ...changed
    }: Partial<Statement> & { maximumStatusAgeSeconds?: number | null } = {},
  ) => {
    const examination = {
      sha256: key,
      format: 'tpm',
      fault: null,
      certificates,
      statement: { ...statement, ...changed },
    } as const;
    const age = maximumStatusAgeSeconds === null ? {} : { maximumStatusAgeSeconds };
    const evidence = { tpm: { ...takesBoth.evidence.tpm, roots: ['makers'], ...age } };
    const references = {
      ...referencesWith({}),
      templates: { [template.name]: template },
      deviceClasses: { [takesBoth.name]: { ...takesBoth, evidence } },
      attestation: { roots: { makers: anchors } },
    };
    const asked = {
      device: { ...device, identifiers: { ekSha256 } },
      template: template.name,
      spki: key,
      issued: null,
      approvedAt: null,
      time: noon,
    };
    const observed = { offered: ['tpm'], examination, status, earlier: null };
    return [
      deriveEvidence(observed, references, asked).facts.verified,
      lacksListAlone(observed, references, asked),
    ];
  };
  const list = { list: digest('77'), at: noon, revoked: [] };

  test('is all that is wrong, and passes', () => {
    for (const status of [
      { ...list, at: noon - 3_601_000 },
      { ...list, at: noon + 3_601_000 },
    ]) {
      assert.deepEqual(alone(status), [false, true]);
    }
  });

  test('is there of no time, where nobody has configured one: that does not pass', () => {
    assert.deepEqual(alone(null), [false, false]);
    assert.deepEqual(alone({ issuers: [], complete: true }), [false, false]);
  });

  test('is not, where the list is new or none is asked for', () => {
    assert.deepEqual(alone(list), [true, false]);
    assert.deepEqual(alone(null, { maximumStatusAgeSeconds: null }), [true, false]);
  });

  test('is not all that is wrong: nothing passes', () => {
    const old = { ...list, at: 0 };
    const revoked = [{ serialNumber: '1', status: 'REVOKED' }];
    assert.deepEqual(alone({ ...old, revoked }), [false, false]);
    assert.deepEqual(alone(old, { fresh: false }), [false, false]);
    assert.deepEqual(alone(old, { identities: {} }), [false, false]);
    assert.deepEqual(alone(old, { claims: { ...tpm, hash: 'sha1' } }), [false, false]);
    assert.deepEqual(alone({ ...list, revoked }), [false, false]);
  });
});

/** Who could ask early, and be refused nothing, would have evidence in store for keys that are used when the hardware is gone. */
describe('evidence that was fresh when it came', () => {
  const lifetimeSeconds = 7 * 86_400;
  const lifetime = lifetimeSeconds * 1000;
  const earlier = { same: true, fresh: true, certificate: null, seenAt: noon };
  const isFresh = (
    time: number,
    {
      approvedAt = null,
      issued = null,
      approvals = { lifetimeSeconds },
      ...seen
    }: {
      approvedAt?: number | null;
      issued?: string | null;
      approvals?: { lifetimeSeconds: number } | null;
    } & Partial<NonNullable<EvidenceObservation['earlier']>> = {},
  ) => {
    const statement: Statement = {
      spki: key,
      fresh: null,
      identities: { endorsementKey: ekSha256 },
      claims: tpm,
    };
    const examination = { sha256: key, format: 'tpm', fault: null, certificates: [], statement } as const;
    const references = {
      ...referencesWith({}),
      templates: { [template.name]: template },
      deviceClasses: { [takesBoth.name]: takesBoth },
      ...(approvals === null ? {} : { approvals }),
    };
    return deriveEvidence(
      { offered: ['tpm'], examination, status: null, earlier: { ...earlier, ...seen } },
      references,
      {
        device: { ...device, identifiers: { ekSha256 } },
        template: template.name,
        spki: key,
        issued,
        approvedAt,
        time,
      },
    ).facts.fresh;
  };

  test('stays so for as long as its request waits for an operator', () => {
    assert.deepEqual([isFresh(noon), isFresh(noon + lifetime - 1)], [true, true]);
    assert.equal(isFresh(noon + lifetime), false);
    assert.equal(isFresh(noon, { fresh: false }), false);
  });

  test('and once more for its device, where one approved it in time', () => {
    const approvedAt = noon + lifetime - 1;
    assert.equal(isFresh(approvedAt + lifetime - 1, { approvedAt }), true);
    assert.equal(isFresh(approvedAt + lifetime, { approvedAt }), false);
    assert.equal(isFresh(noon + lifetime, { approvedAt: noon + lifetime }), false);
    // An older one of the same key takes nothing away.
    assert.equal(isFresh(noon + lifetime - 1, { approvedAt: noon - lifetime }), true);
  });

  test('is for what it got already, whenever that is asked for again', () => {
    const certificate = digest('ce');
    assert.equal(isFresh(noon + 10 * lifetime, { certificate, issued: certificate }), true);
    assert.equal(isFresh(noon, { certificate, issued: null }), false);
  });

  test('was for ever where nobody wrote down since when, or for how long a request waits', () => {
    const before: object = { seenAt: undefined };
    assert.equal(isFresh(noon + 10 * lifetime, before), true);
    assert.equal(isFresh(noon + 10 * lifetime, { approvals: null }), true);
  });
});
