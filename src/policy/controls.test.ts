import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadBundle } from './bundle.ts';
import { requiredControls } from './controls.ts';
import { defaultPolicies } from './default-policies.ts';
import { type Action, actions } from './facts.ts';
import { judge } from './judge.ts';
import {
  byAccount,
  byChallenge,
  byIdentity,
  type Change,
  provenFacts,
  references,
} from './proven-facts.testing.ts';

/** Of a class that takes evidence and does not demand it. */
const holdingEvidence = {
  offered: true,
  judged: true,
  sound: true,
  fresh: true,
  trusted: true,
  forKey: true,
  forDevice: true,
  unused: true,
  verified: false,
};

/** What falsifies just the fact that a control demands. */
const falsified: Readonly<Record<string, readonly Change[]>> = {
  'segment-listener-class': [
    { segment: { listenerClass: 'public' } },
    { segment: { listenerClass: 'admin' } },
  ],
  'segment-protocol': [{ segment: { protocolServed: false } }],
  'segment-tls-floor': [{ segment: { tlsFloorMet: false } }],
  'segment-management': [{ segment: { managed: false } }],
  'segment-source': [{ segment: { sourceAllowed: false } }],
  'segment-template': [{ segment: { templateServed: false } }],
  'segment-class': [{ segment: { classAllowed: false } }],
  'rate-source': [{ rate: { source: false } }],
  'rate-device': [{ rate: { device: false } }],
  'rate-template': [{ rate: { template: false } }],
  'template-known': [{ template: { known: false } }],
  'template-class': [{ template: { forClass: false } }],
  'template-names': [{ template: { namesBuilt: false } }],
  'device-known': [{ device: { known: false } }],
  'device-state': [
    { device: { state: 'suspended' } },
    { device: { state: 'retired' } },
    { device: { state: 'unknown' } },
  ],
  'request-possession': [{ request: { possession: false } }],
  'request-subject': [{ request: { subject: false } }],
  'request-subject-alt-name': [{ request: { subjectAltName: false } }],
  'request-usage': [{ request: { usage: false } }],
  'request-end-entity': [{ request: { endEntity: false } }],
  'request-no-sid': [{ request: { noSid: false } }],
  'request-extensions': [{ request: { extensions: false } }],
  'key-algorithm': [{ key: { algorithmAllowed: false } }],
  'key-origin': [{ key: { originAllowed: false } }],
  'key-strength': [{ key: { strong: false } }],
  'key-unshared': [{ key: { unshared: false } }],
  attestation: [{ evidence: { required: true } }, { evidence: { required: true, offered: true } }],
  ...Object.fromEntries(
    Object.entries({
      'attestation-sound': 'sound',
      'attestation-fresh': 'fresh',
      'attestation-trusted': 'trusted',
      'attestation-key': 'forKey',
      'attestation-device': 'forDevice',
      'attestation-unused': 'unused',
    }).map(([control, fact]) => [control, [{ evidence: { ...holdingEvidence, [fact]: false } }]]),
  ),
  'attestation-rollback': [{ versions: { kept: false } }],
  'attestation-shared': [{ attestingKey: { withinLimit: false } }],
  'secret-known': [{ secret: { known: false }, evidence: { offered: true, verified: true } }],
  'secret-not-void': [{ secret: { notVoid: false } }],
  'secret-unexpired': [{ secret: { unexpired: false } }],
  'secret-unused': [{ secret: { unused: false } }],
  'secret-template': [{ secret: { forTemplate: false } }],
  'secret-request': [{ secret: { forRequest: false } }],
  'secret-device': [{ secret: { forDevice: false } }],
  'challenge-known': [
    { challenge: { known: false, withinLimit: true }, evidence: { offered: true, verified: true } },
  ],
  'challenge-limit': [{ ...byChallenge, challenge: { known: true, withinLimit: false } }],
  'identity-current': [{ ...byIdentity, identity: { ...byIdentity.identity, current: false } }],
  'identity-purpose': [{ ...byIdentity, identity: { ...byIdentity.identity, purpose: false } }],
  'identity-template': [{ ...byIdentity, identity: { ...byIdentity.identity, forTemplate: false } }],
  'identity-device': [{ ...byIdentity, identity: { ...byIdentity.identity, forDevice: false } }],
  'identity-known': [
    {
      identity: { ...byIdentity.identity, known: false },
      evidence: { offered: true, verified: true },
    },
  ],
  'account-template': [{ ...byAccount, account: { ...byAccount.account, forTemplate: false } }],
  'account-order': [{ ...byAccount, account: { ...byAccount.account, forRequest: false } }],
  'account-names': [{ ...byAccount, account: { ...byAccount.account, withinNames: false } }],
  'account-count': [{ ...byAccount, account: { ...byAccount.account, withinCount: false } }],
  'account-authorized': [{ ...byAccount, account: { ...byAccount.account, authorized: false } }],
  'account-valid': [
    {
      account: { ...byAccount.account, valid: false },
      evidence: { offered: true, verified: true },
    },
  ],
  'workflow-agreed': [{ workflow: { required: true } }],
  'binding-present': [{ binding: { required: true } }],
  'binding-matches': [{ binding: { contradicted: true } }, { binding: { bound: true, contradicted: true } }],
  'enrollment-again': [{ device: { fresh: false } }],
  'first-enrollment': [
    { approval: { lifts: [] } },
    { approval: { granted: false, lifts: [] } },
    { approval: { granted: false, lifts: ['first-enrollment'] } },
    { approval: { lifts: ['class-approval'] } },
  ],
  'class-approval': [{ approval: { required: true } }],
  'renewal-lineage': [{ lineage: { uncontested: false } }],
  'renewal-issued-here': [{ presenter: { issuedHere: false } }],
  'renewal-known': [{ presenter: { known: false } }],
  'renewal-end-entity': [{ presenter: { endEntity: false } }],
  'renewal-unexpired': [{ presenter: { unexpired: false } }],
  'renewal-unrevoked': [{ presenter: { unrevoked: false } }],
  'renewal-template': [{ presenter: { sameTemplate: false } }],
  'renewal-names': [{ presenter: { sameNames: false } }],
  'renewal-key': [{ presenter: { keyAllowed: false } }],
  'renewal-window': [{ renewal: { windowOpen: false } }],
};

const holding = new Set([
  'attestation-rollback',
  'attestation-shared',
  'first-enrollment',
  'class-approval',
  'enrollment-again',
  'renewal-window',
  'renewal-lineage',
]);

const bundle = loadBundle(defaultPolicies(), references);

function controlsObjecting(action: Action, change: Change): string[] {
  return judge(bundle, provenFacts(action, change)).objections.map(({ control }) => control);
}

describe('the default controls, each alone', () => {
  for (const action of actions) {
    it(`${action}: nobody objects when everything is proven`, () => {
      const verdict = judge(bundle, provenFacts(action));
      assert.deepEqual({ ...verdict }, { decision: 'allow', objections: [] });
    });

    for (const control of requiredControls[action].filter((id) => id !== 'authentication')) {
      it(`${action}: ${control} objects, and no other, when just its fact is false`, () => {
        const changes = falsified[control];
        assert.ok(changes, 'the table must have this control');
        for (const change of changes) {
          const { decision, objections } = judge(bundle, provenFacts(action, change));
          assert.deepEqual(
            objections.map((objection) => objection.control),
            [control],
          );
          assert.equal(decision, holding.has(control) ? 'hold' : 'deny');
        }
      });
    }
  }

  it('the table has no control that is not required', () => {
    const required = new Set(actions.flatMap((action) => requiredControls[action]));
    assert.deepEqual(
      Object.keys(falsified).filter((id) => !required.has(id)),
      [],
    );
  });
});

describe('authentication of a first enrollment', () => {
  // What presents no valid secret also fails the controls of the secret: authentication is never alone.
  it('objects beside secret-known to a secret that nobody gave out', () => {
    assert.deepEqual(controlsObjecting('enroll', { secret: { known: false } }), [
      'authentication',
      'secret-known',
    ]);
  });

  it('objects beside identity-known to an identity of nobody that is configured', () => {
    const unknown = { ...byIdentity, identity: { ...byIdentity.identity, known: false } };
    assert.deepEqual(controlsObjecting('enroll', unknown), ['authentication', 'identity-known']);
  });

  it('objects beside challenge-known to a challenge that nobody answers for', () => {
    const unknown = { ...byChallenge, challenge: { known: false, withinLimit: true } };
    assert.deepEqual(controlsObjecting('enroll', unknown), ['authentication', 'challenge-known']);
  });

  it('is content with a challenge that holds, alone', () => {
    assert.deepEqual(controlsObjecting('enroll', byChallenge), []);
  });

  it('is content with an account that holds, alone', () => {
    assert.deepEqual(controlsObjecting('enroll', byAccount), []);
  });

  it('needs no other approval where an operator listed the names of the account', () => {
    const approved = { ...byAccount, account: { ...byAccount.account, approved: true } };
    const none = { approval: { granted: false, lifts: [] } };
    assert.deepEqual(controlsObjecting('enroll', { ...approved, ...none }), []);
    assert.deepEqual(controlsObjecting('enroll', { ...byAccount, ...none }), ['first-enrollment']);
  });

  it('is content with a known identity alone', () => {
    assert.deepEqual(controlsObjecting('enroll', byIdentity), []);
  });

  it('objects with every control of the secret and of the identity where there is neither secret nor verified evidence', () => {
    const secretControls = requiredControls.enroll.filter((id) => /^(?:secret|challenge|identity)-/.test(id));
    assert.equal(secretControls.length, 14);
    assert.deepEqual(
      controlsObjecting('enroll', { secret: null }),
      ['authentication', 'incomplete', ...secretControls].sort(),
    );
    assert.deepEqual(
      controlsObjecting('enroll', { secret: null, evidence: { offered: true } }),
      ['authentication', 'incomplete', ...secretControls].sort(),
    );
  });

  it('is content with verified evidence alone', () => {
    const attested = { secret: null, evidence: { required: true, offered: true, verified: true } };
    assert.deepEqual(controlsObjecting('enroll', attested), []);
  });

  it('does not let verified evidence excuse a bad secret', () => {
    const attested = { offered: true, verified: true };
    assert.deepEqual(controlsObjecting('enroll', { secret: { unused: false }, evidence: attested }), [
      'secret-unused',
    ]);
  });

  it('needs no approval of a first enrollment with verified evidence', () => {
    const change = {
      evidence: { offered: true, verified: true },
      approval: { granted: false, lifts: [] },
    };
    assert.deepEqual(controlsObjecting('enroll', change), []);
  });
});

describe('approval', () => {
  it('lifts what it names', () => {
    const both = { required: true, granted: true, lifts: ['class-approval', 'first-enrollment'] };
    assert.deepEqual(controlsObjecting('enroll', { approval: both }), []);
    const early = { granted: true, lifts: ['renewal-window'] };
    assert.deepEqual(controlsObjecting('renew', { renewal: { windowOpen: false }, approval: early }), []);
  });

  it('does not lift a control without @hold, even by name', () => {
    const everything = { required: true, granted: true, lifts: bundle.controls.map(({ id }) => id) };
    for (const action of ['enroll', 'renew'] as const) {
      for (const control of requiredControls[action].filter((id) => !holding.has(id))) {
        const [change] = falsified[control] ?? [{ secret: { known: false } }];
        const { decision, objections } = judge(
          bundle,
          provenFacts(action, { ...change, approval: everything }),
        );
        assert.equal(decision, 'deny');
        assert.ok(objections.some((objection) => objection.control === control && !objection.liftable));
      }
    }
  });
});
