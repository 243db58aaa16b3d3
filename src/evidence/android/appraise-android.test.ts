import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { der } from '#x509';
import type { AttestationResult, ReferenceValues, RevocationStatus } from '../appraisal.ts';
import { appraise } from '../appraise.ts';
import { anchorsOf, day, issue, keyPair, named, nonce, now } from '../evidence.fixture.ts';
import { examine } from '../examine.ts';
import {
  type AndroidRecipe,
  androidChain,
  androidEvidence,
  androidValues,
  keys,
  root,
} from './android.fixture.ts';
import {
  elementsOf,
  hardwareEnforced,
  keyDescription,
  rootOfTrust,
  withHardware,
} from './key-description.fixture.ts';
import type { AndroidReference } from './reference.ts';

function appraised(
  recipe: Partial<AndroidRecipe>,
  values: ReferenceValues = androidValues(),
  time: number = now,
  status: RevocationStatus | null = null,
): AttestationResult {
  return appraise(examine(androidEvidence(recipe), nonce), values, status, time);
}

function checksOf(...args: Parameters<typeof appraised>): readonly string[] {
  return appraised(...args).objections.map(({ check }) => check);
}

test('android-key: nothing objects', () => {
  assert.deepEqual(appraised({}), { anchors: 'android-key roots', level: 'tee', objections: [] });
});

suite('android-key: each check alone', () => {
  const cases: readonly (readonly [string, Partial<AndroidRecipe>, Partial<AndroidReference>?])[] = [
    ['android-remote-provisioning', { provisioning: 'factory' }],
    ['android-security-level', { description: keyDescription({ 1: der.enumerated(2) }) }],
    ['android-security-level', { description: keyDescription({ 3: der.enumerated(2) }) }],
    ['android-origin', { description: withHardware({ 702: der.integer(2) }) }],
    ['android-origin', { description: withHardware({ 702: undefined }) }],
    ['android-root-of-trust', { description: withHardware({ 704: undefined }) }],
    ['android-boot-state', { description: withHardware({ 704: rootOfTrust({ state: 2 }) }) }],
    ['android-boot-state', { description: withHardware({ 704: rootOfTrust({ state: 3 }) }) }],
    ['android-boot-key', {}, { verifiedBootKeys: ['ab'.repeat(31)] }],
    ['android-unlocked', { description: withHardware({ 704: rootOfTrust({ locked: 0 }) }) }],
    ['android-os-patch', { description: withHardware({ 706: der.integer(202_607) }) }],
    ['android-os-patch', { description: withHardware({ 706: undefined }) }],
    ['android-vendor-patch', { description: withHardware({ 718: der.integer(20_260_804) }) }],
    ['android-vendor-patch', { description: withHardware({ 718: der.integer(202_608) }) }],
    ['android-vendor-patch', {}, { minimumVendorPatchLevel: 202_609 }],
    ['android-boot-patch', { description: withHardware({ 719: der.integer(0) }) }],
    ['android-attestation-version', { description: keyDescription({ 0: der.integer(200) }) }],
    ['android-purpose', { description: withHardware({ 1: der.set(der.integer(3)) }) }],
    ['android-purpose', { description: withHardware({ 1: undefined }) }],
    ['android-purpose', {}, { purposes: ['sign', 'agree'] }],
    [
      'android-tag-order',
      { description: keyDescription({ 7: der.sequence(...elementsOf(hardwareEnforced).toReversed()) }) },
    ],
  ];
  for (const [at, [check, recipe, reference]] of cases.entries()) {
    test(`${check} (${at})`, () => assert.deepEqual(checksOf(recipe, androidValues(reference)), [check]));
  }

  test("android-provisioning: a chain of other names is not Google's, whatever vouches for it", () => {
    const subject = named({ commonName: 'Droid CA9' });
    const recipe = { certificates: { intermediate: { subject }, server: { issuer: subject } } };
    const values = androidValues({ requireRemoteProvisioning: false });
    assert.deepEqual(checksOf(recipe, values), ['android-provisioning']);
  });

  test('all of them at once', () => {
    const description = keyDescription({
      0: der.integer(2),
      1: der.enumerated(2),
      7: der.sequence(
        ...elementsOf({ 704: rootOfTrust({ locked: 0, state: 2 }), 2: der.integer(3) }).toReversed(),
      ),
    });
    const values = androidValues({ verifiedBootKeys: [] });
    assert.deepEqual(checksOf({ provisioning: 'factory', description }, values), [
      'android-remote-provisioning',
      'android-security-level',
      'android-origin',
      'android-boot-state',
      'android-boot-key',
      'android-unlocked',
      'android-os-patch',
      'android-vendor-patch',
      'android-boot-patch',
      'android-attestation-version',
      'android-purpose',
      'android-tag-order',
    ]);
  });
});

suite('android-key: the security level', () => {
  const strongBox = { subject: named({ organizationName: 'StrongBox' }) };
  const strongBoxChain: Partial<AndroidRecipe>['certificates'] = {
    attestation: strongBox,
    target: { issuer: strongBox.subject },
  };
  const both = keyDescription({ 1: der.enumerated(2), 3: der.enumerated(2) });

  test('strongbox, where its chain says so', () => {
    const result = appraised({ description: both, certificates: strongBoxChain });
    assert.deepEqual(result, { anchors: 'android-key roots', level: 'strongbox', objections: [] });
  });
  test('a key of a TEE cannot say that it is in a StrongBox', () => {
    assert.deepEqual(checksOf({ description: both }), ['android-security-level']);
    const values = androidValues({ requireRemoteProvisioning: false });
    assert.deepEqual(checksOf({ provisioning: 'factory', description: both }, values), [
      'android-security-level',
    ]);
  });
  test('nor a key of a StrongBox that it is in a TEE', () => {
    assert.deepEqual(checksOf({ certificates: strongBoxChain }), ['android-security-level']);
  });
  test('is the lower one of what signs the KeyDescription and of what keeps the key', () => {
    for (const field of [1, 3]) {
      assert.equal(appraised({ description: keyDescription({ [field]: der.enumerated(2) }) }).level, 'tee');
    }
  });
  test('software is no level unless it is named, and has not booted anything that we could know', () => {
    const recipe: Partial<AndroidRecipe> = {
      description: keyDescription({ 1: der.enumerated(0), 3: der.enumerated(0) }),
      certificates: {
        attestation: { subject: named({ organizationName: 'Software' }) },
        target: { issuer: named({ organizationName: 'Software' }) },
      },
    };
    assert.deepEqual(checksOf(recipe, { ...androidValues(), levels: null }), ['assurance-level']);
    assert.deepEqual(checksOf(recipe, { ...androidValues(), levels: ['tee'] }), ['assurance-level']);
    assert.deepEqual(checksOf(recipe, { ...androidValues(), levels: ['software'] }), []);
  });
});

suite('android-key: systems that an operator knows', () => {
  const description = withHardware({ 704: rootOfTrust({ state: 1 }) });

  test('a self-signed one by its key', () => {
    const values = androidValues({
      verifiedBootStates: ['self-signed'],
      verifiedBootKeys: ['ab'.repeat(32)],
    });
    assert.deepEqual(checksOf({ description }, values), []);
  });
  test("self-signed without keys would be anybody's", () => {
    const values = androidValues({ verifiedBootStates: ['verified', 'self-signed'] });
    assert.deepEqual(checksOf({ description }, values), ['android-boot-key']);
  });
  test('an unlocked one only where that is dangerously allowed', () => {
    const unlocked = withHardware({ 704: rootOfTrust({ locked: 0 }) });
    const values = androidValues({ dangerouslyAllowUnlocked: true });
    assert.deepEqual(checksOf({ description: unlocked }, values), []);
  });
});

suite("android-key: the path, in Google's own order", () => {
  test('the sent root may be another certificate of the same name and key, and have ended', () => {
    const old = { notBefore: 0, notAfter: 1000, serialNumber: 'e8fa196314d2fa18', extensions: [] };
    assert.deepEqual(checksOf({ certificates: { root: old } }), []);
  });
  test('no certificate has to be one of a CA: that of a Sony Xperia 10 III says cA FALSE', () => {
    assert.deepEqual(checksOf({ certificates: { attestation: { extensions: [] } } }), []);
  });

  const other = keyPair();
  const cases: Readonly<Record<string, Partial<AndroidRecipe>['certificates']>> = {
    'a root of the same name and another key': {
      root: { key: other, by: other },
      intermediate: { by: other },
    },
    'a root of another name and the same key': {
      root: { subject: named({ commonName: 'another' }), issuer: named({ commonName: 'another' }) },
      intermediate: { issuer: named({ commonName: 'another' }) },
    },
    'an intermediate of another issuer': { intermediate: { issuer: named({ commonName: 'another' }) } },
    'an intermediate signed by another key': { intermediate: { by: other } },
    'an attestation key certified by another key': { attestation: { by: other } },
    'a target of another issuer': { target: { issuer: named({ organizationName: 'TEE' }) } },
    'a target signed by another key': { target: { by: keys.server } },
  };
  for (const [what, certificates = {}] of Object.entries(cases)) {
    test(`${what}: certification-path`, () => {
      const result = appraised({ certificates });
      assert.deepEqual(
        result.objections.map(({ check }) => check),
        ['certification-path'],
      );
      assert.equal(result.anchors, null);
      assert.equal(result.level, null);
    });
  }

  test('an anchor of the same name and another key vouches for nothing', () => {
    const forged = keyPair();
    const [sent] = androidChain({ certificates: { root: { key: forged, by: forged } } }).slice(-1);
    assert.deepEqual(checksOf({}, { ...androidValues(), anchors: [anchorsOf('android-key', [sent!])] }), [
      'certification-path',
    ]);
  });

  test('the root of that name and that key, among roots of the same name or the same key', () => {
    const forged = keyPair();
    const [sameName] = androidChain({ certificates: { root: { key: forged, by: forged } } }).slice(-1);
    const subject = named({ commonName: 'another' });
    const [sameKey] = androidChain({ certificates: { root: { subject, issuer: subject } } }).slice(-1);
    const anchors = [anchorsOf('android-key', [sameName!, sameKey!, root])];
    assert.deepEqual(checksOf({}, { ...androidValues(), anchors }), []);
  });

  test('one among several roots', () => {
    const elsewhere = keyPair();
    const stranger = issue({
      subject: named({ commonName: 'elsewhere' }),
      issuer: named({ commonName: 'elsewhere' }),
      key: elsewhere,
      by: elsewhere,
      serialNumber: '01',
      notBefore: 0,
      notAfter: now,
      extensions: [],
    });
    const anchors = [
      anchorsOf('android-key', [stranger]),
      anchorsOf('android-key', [stranger, root], { name: 'second' }),
    ];
    assert.equal(appraised({}, { ...androidValues(), anchors }).anchors, 'second');
  });
});

suite('android-key: dates', () => {
  const ended = { notAfter: now - day };
  const begins = { notBefore: now + day };
  const values = androidValues({ requireRemoteProvisioning: false });

  test("those of the target are the device's own clock: nobody asks", () => {
    assert.deepEqual(
      checksOf({ certificates: { target: { notBefore: now + day, notAfter: now + 2 * day } } }),
      [],
    );
  });
  for (const role of ['attestation', 'server', 'intermediate'] as const) {
    test(`remotely provisioned: ${role} is in date`, () => {
      assert.deepEqual(checksOf({ certificates: { [role]: ended } }), ['certificate-validity']);
      assert.deepEqual(checksOf({ certificates: { [role]: begins } }), ['certificate-validity']);
    });
  }
  test('of the factory: what has ended goes on, what has not begun does not', () => {
    const factory = (certificates: AndroidRecipe['certificates']): Partial<AndroidRecipe> => ({
      provisioning: 'factory',
      certificates,
    });
    assert.deepEqual(checksOf(factory({ attestation: ended, intermediate: ended }), values), []);
    assert.deepEqual(checksOf(factory({ attestation: begins }), values), ['certificate-validity']);
    assert.deepEqual(checksOf(factory({ intermediate: begins }), values), ['certificate-validity']);
  });
  test('the time is an argument', () => {
    assert.deepEqual(checksOf({}, androidValues(), now + 20 * day), ['certificate-validity']);
  });
});
