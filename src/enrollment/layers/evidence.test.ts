import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from '#ca';
import type { Examination, Statement } from '#evidence';
import type { DeviceClass } from '#inventory';
import { device, digest, noon, referencesWith, template } from '../identity.fixture.ts';
import type { DeviceObservation, EvidenceObservation } from '../observations.ts';
import type { References } from '../references.ts';
import { deriveEvidence, deviceProblem, lacksListAlone, namesOf } from './evidence.ts';
import { asked, type Claims, ekSha256, key, phone, takesBoth, tpm } from './evidence.fixture.ts';
import { TestCa } from '../../../test/harness/pki.ts';

const attestationKeys: Template = { ...template, name: 'attestation-key', authentication: ['endorsement'] };

function derived(
  claims: Claims,
  of: Template,
  changed: {
    attester?: EvidenceObservation['attester'];
    identities?: Statement['identities'];
    device?: Partial<DeviceObservation>;
    deviceClass?: Partial<DeviceClass>;
  } = {},
) {
  const { attester = null, identities = { endorsementKey: ekSha256 } } = changed;
  const statement: Statement = { spki: key, fresh: true, identities, claims };
  const { format } = claims;
  const examination: Examination = { sha256: key, format, fault: null, certificates: [], statement };
  const references = {
    ...referencesWith({}),
    templates: { [of.name]: of },
    deviceClasses: { [takesBoth.name]: { ...takesBoth, ...changed.deviceClass } },
  };
  return deriveEvidence(
    { offered: [format], examination, status: null, earlier: null, attester },
    references,
    { ...asked, device: { ...asked.device, ...changed.device }, template: of.name },
  );
}

/** Nobody goes without because a row is lacking. */
describe('evidence is required', () => {
  const lenient = { ...takesBoth, attestation: 'none' } as const;
  const isRequired = (of: Template = template, changed: Partial<References> = {}) => {
    const references = {
      ...referencesWith({}),
      templates: { [of.name]: of },
      deviceClasses: { [lenient.name]: lenient },
      ...changed,
    };
    return deriveEvidence(null, references, { ...asked, template: of.name }).facts.required;
  };

  test('where the class or the template asks for it, and else not', () => {
    assert.equal(isRequired(), false);
    assert.equal(isRequired(template, { deviceClasses: { [takesBoth.name]: takesBoth } }), true);
    assert.equal(isRequired({ ...template, keyProtection: 'hardware' }), true);
  });

  test('where nobody knows the class or the template', () => {
    assert.equal(isRequired(template, { deviceClasses: {} }), true);
    assert.equal(isRequired(template, { templates: {} }), true);
  });

  test('where the template takes nothing else', () => {
    for (const authentication of [
      ['attestation'],
      ['endorsement'],
      ['attestation', 'endorsement'],
    ] as const) {
      assert.equal(isRequired({ ...template, authentication }), true, authentication.join(', '));
    }
    assert.equal(isRequired({ ...template, authentication: ['secret', 'attestation'] }), false);
  });
});

describe('evidence that does not hold', () => {
  const attestation = 'none';

  test('is objected to for being required where it is', () => {
    assert.match(derived(tpm, template).reasons['attestation'] ?? '', /the evidence does not hold$/);
    const { facts, reasons } = derived(tpm, template, { deviceClass: { attestation } });
    assert.deepEqual([facts.verified, reasons['attestation']], [false, undefined]);
  });

  test('is judged where it is not required too, if the class takes any', () => {
    assert.equal(derived(tpm, template, { deviceClass: { attestation } }).facts.judged, true);
    assert.equal(derived(tpm, template, { deviceClass: { attestation, evidence: {} } }).facts.judged, false);
  });
});

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

  test('and of what is not taken nothing more is said', () => {
    const { sound, fresh, forKey, forDevice, unused } = derived(tpm, attestationKeys).facts;
    assert.deepEqual([sound, fresh, forKey, forDevice, unused], [false, false, false, false, false]);
  });
});

/** What we said of an attestation key ourselves is good for as long as we stand by it, and of its TPM's device alone. */
describe('an attestation key that we have certified', () => {
  const trusted = (attester: NonNullable<EvidenceObservation['attester']>) =>
    derived(tpm, template, { attester }).reasons['attestation-trusted'] ?? '';

  test('attests no more once its certificate is revoked', () => {
    assert.match(trusted({ deviceId: device.id, revoked: true }), /attestation key is revoked$/);
    assert.doesNotMatch(trusted({ deviceId: device.id, revoked: false }), /attestation key is/);
  });

  test('attests for no other device', () => {
    assert.match(trusted({ deviceId: 'another', revoked: false }), /was issued to device another$/);
  });

  test('is of a TPM that the device has still', () => {
    const { facts, reasons } = derived(tpm, template, {
      device: { identifiers: { ekSha256: digest('6d') } },
    });
    assert.equal(facts.forDevice, false);
    assert.match(reasons['attestation-device'] ?? '', /ekSha256/);
  });
});

describe('the device that evidence names', () => {
  const bySerialNumber = {
    ...takesBoth.evidence.tpm,
    device: { from: 'serialNumber', is: 'serialNumber', types: null },
  } as const;

  test('is none of which the inventory has no such name, or an empty one', () => {
    for (const serialNumber of [null, '']) {
      const problem = deviceProblem({ serialNumber: '' }, bySerialNumber, { ...device, serialNumber });
      assert.match(problem ?? '', /^the inventory has no serialNumber of device device-1/);
    }
  });

  test('has the TPM of the evidence still, whatever it is named by', () => {
    const isOf = (has: string) =>
      derived(tpm, template, {
        identities: { serialNumber: 'SN-1', endorsementKey: ekSha256 },
        device: { identifiers: { ekSha256: has } },
        deviceClass: { evidence: { tpm: bySerialNumber } },
      }).facts.forDevice;
    assert.deepEqual([isOf(ekSha256), isOf(digest('6d'))], [true, false]);
  });

  test('is named by names of the types that count, where any are said', () => {
    const assigned = (assigner: string | null, types: string[] | null) =>
      namesOf({ permanentIdentifier: { value: 'a', assigner } }, 'permanentIdentifier', types);
    assert.deepEqual(
      [assigned('1.2', ['1.2']), assigned('1.3', null), assigned(null, null)],
      [['a'], ['a'], ['a']],
    );
    assert.deepEqual([assigned('1.3', ['1.2']), assigned(null, ['1.2'])], [[], []]);
    const ofType = (type: string) =>
      namesOf({ hardwareModule: { type, serialNumber: 'a' } }, 'hardwareModule', ['1.2']);
    assert.deepEqual([ofType('1.2'), ofType('1.3')], [['a'], []]);
  });
});

/** That the operator's list is old is nobody else's fault: whoever waits for a new one is taken then, and what is wrong besides stays wrong. */
describe('a list of revoked keys that is lacking or too old', () => {
  const makers = TestCa.root('Makers', { notBefore: noon - 86_400_000 });
  const leaf = makers.endEntity({ subject: [{ type: 'commonName', value: 'AK' }], notBefore: noon - 1000 });
  const certificates = [leaf, makers].map(({ certificate }) => Buffer.from(certificate).toString('base64'));
  const statement: Statement = {
    spki: key,
    fresh: true,
    identities: { endorsementKey: ekSha256 },
    claims: tpm,
  };
  const anchors = {
    name: 'makers',
    level: 'discrete-tpm',
    roots: certificates.slice(1),
    intermediates: [],
  } as const;
  const android = {
    verifiedBootStates: ['verified'],
    verifiedBootKeys: null,
    dangerouslyAllowUnlocked: false,
    minimumOsPatchLevel: null,
    minimumVendorPatchLevel: null,
    minimumBootPatchLevel: null,
    minimumAttestationVersion: null,
    requireRemoteProvisioning: false,
    purposes: ['sign'],
    requireTagOrder: true,
  } as const;
  const alone = (
    status: NonNullable<EvidenceObservation['status']> | null,
    {
      maximumStatusAgeSeconds = 3600,
      ...changed
    }: Partial<Statement> & { maximumStatusAgeSeconds?: number | null } = {},
  ) => {
    const said = { ...statement, ...changed };
    const { format } = said.claims;
    const examination = { sha256: key, format, fault: null, certificates, statement: said };
    const age = maximumStatusAgeSeconds === null ? {} : { maximumStatusAgeSeconds };
    const evidence = { [format]: { ...takesBoth.evidence.tpm, android, roots: ['makers'], ...age } };
    const references = {
      ...referencesWith({}),
      templates: { [template.name]: template },
      deviceClasses: { [takesBoth.name]: { ...takesBoth, evidence } },
      attestation: { roots: { makers: { ...anchors, format } } },
    };
    const observed = { offered: [format], examination, status, earlier: null };
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

  test("is Google's, which is always configured, where its file cannot be read: that passes", () => {
    assert.deepEqual(alone(null, { claims: phone }), [false, true]);
    assert.deepEqual(alone({ ...list, at: 0 }, { claims: phone }), [false, true]);
    assert.deepEqual(alone(list, { claims: phone }), [true, false]);
    const imported: Claims = { ...phone, origin: 'imported' };
    assert.deepEqual(alone(null, { claims: imported }), [false, false]);
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
      { ...asked, issued, approvedAt, time },
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
