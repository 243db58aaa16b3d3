import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isSallyportError } from '#errors';

import { loadBundle } from './bundle.ts';
import { controlTable, requiredControls } from './controls.ts';
import { defaultPolicies } from './default-policies.ts';
import { type Action, actions, type Facts } from './facts.ts';
import { judge, judgeUnremembered } from './judge.ts';
import { rewriteUnless, withOwn, withPolicy } from './policy-text.testing.ts';
import { emptyFacts, provenFacts, references } from './proven-facts.testing.ts';

/** The rules of judging. Each was a way to fail open. */

const bundle = loadBundle(defaultPolicies(), references);

function assertRefused(text: string, words: RegExp): void {
  assert.throws(
    () => loadBundle(text, references),
    (error) => isSallyportError(error, 'policy') && words.test(error.message),
    String(words),
  );
}

const controlsObjecting = (facts: Facts): string[] =>
  judge(bundle, facts).objections.map(({ control }) => control);

describe('rule 1: a control is written forbid … unless { positive proof }', () => {
  it('what has no evidence at all is refused, not allowed', () => {
    const facts = provenFacts('renew', { evidence: null });
    const ofEvidence = controlTable
      .filter(({ id, liftable }) => id.startsWith('attestation') && !liftable)
      .map(({ id }) => id);
    assert.deepEqual(controlsObjecting(facts), [...ofEvidence, 'incomplete'].toSorted());
  });

  it('a control in the form when { fact is there && not proven } is refused at load', () => {
    for (const { id } of controlTable) {
      const open = rewriteUnless((proof) => `when { context has segment && !(${proof}) }`);
      assertRefused(withPolicy(id, open), new RegExp(`${id} reads facts in "when"`));
    }
  });

  it('the same form within unless is refused at load, also in an own forbid', () => {
    const open = 'if context has evidence then context.evidence.verified else true';
    assertRefused(
      withPolicy(
        'attestation',
        rewriteUnless(() => `unless { ${open} }`),
      ),
      /attestation does not object when nothing is known/,
    );
    assertRefused(
      withOwn(`@id("own") @title("Own")
        forbid (principal, action == Action::"enroll", resource == Template::"vpn") unless { ${open} };`),
      /own does not object when nothing is known \(enroll, device class unknown, template vpn\)/,
    );
  });
});

describe('rule 2: a policy that Cedar skips because it errs counts as an objection that nobody can lift', () => {
  const overflow = '(if context.rate.source then 9223372036854775807 + 1 > 0 else false)';

  it('denies, naming the control', () => {
    const errs = loadBundle(
      withOwn(`@id("own") @title("Own")
        forbid (principal, action, resource) unless { context has rate && ${overflow} };`),
      references,
    );
    for (const action of actions) {
      const { decision, objections } = judge(errs, provenFacts(action));
      assert.equal(decision, 'deny');
      assert.deepEqual(
        objections.map(({ control, liftable }) => ({ control, liftable })),
        [{ control: 'own', liftable: false }],
      );
      assert.match(objections[0]?.detail ?? '', /could not be evaluated/);
    }
  });

  it('denies instead of holding, when the control carries @hold', () => {
    const errs = loadBundle(
      withOwn(`@id("own") @title("Own") @hold
        forbid (principal, action == Action::"enroll", resource)
        unless {
          (context has approval && context.approval.granted && context.approval.lifts.contains("own")) ||
          (context has rate && ${overflow})
        };`),
      references,
    );
    const { decision, objections } = judge(errs, provenFacts('enroll'));
    assert.equal(decision, 'deny');
    assert.deepEqual(
      objections.map(({ control, liftable }) => ({ control, liftable })),
      [{ control: 'own', liftable: false }],
    );
  });
});

describe('rule 3: the required controls are compiled in, and examined when a bundle is loaded', () => {
  it('on empty facts every required control objects, for every action, template and device class', () => {
    for (const action of actions) {
      for (const template of ['none', ...references.templates]) {
        for (const deviceClass of ['unknown', ...references.deviceClasses]) {
          const { decision, objections } = judge(bundle, emptyFacts(action, template, deviceClass));
          assert.equal(decision, 'deny');
          assert.deepEqual(
            objections.map(({ control }) => control),
            ['incomplete', ...requiredControls[action]].sort(),
          );
        }
      }
    }
  });

  it('without any one of them the bundle is refused', () => {
    for (const { id } of controlTable) {
      assertRefused(withPolicy(id, ''), new RegExp(`required control ${id} is missing`));
    }
  });

  it('with any one of them true for everyone the bundle is refused', () => {
    for (const { id } of controlTable) {
      assertRefused(
        withPolicy(
          id,
          rewriteUnless(() => 'unless { true }'),
        ),
        new RegExp(`${id}: .*impossible`),
      );
    }
  });

  it('with one of them left out for a template, a device class or an action the bundle is refused', () => {
    assertRefused(
      withPolicy(
        'key-strength',
        rewriteUnless((proof) => `unless { (${proof}) || resource == Template::"vpn" }`),
      ),
      /key-strength does not object when nothing is known \(enroll, device class unknown, template vpn\)/,
    );
    assertRefused(
      withPolicy(
        'first-enrollment',
        rewriteUnless((proof) => `unless { (${proof}) || principal == DeviceClass::"printer" }`),
      ),
      /first-enrollment does not object when nothing is known \(enroll, device class printer/,
    );
    assertRefused(
      withPolicy('device-state', (policy) => policy.replace(', resource', ', resource == Template::"vpn"')),
      /device-state does not object when nothing is known \(enroll, device class unknown, template none\)/,
    );
    assertRefused(
      withPolicy('rate-source', (policy) => policy.replace('Action::"admit", ', '')),
      /rate-source does not object when nothing is known \(admit/,
    );
  });

  it('the permit without the controls is refused, and so are the controls without the permit', () => {
    const permit = '@id("enrollment") @title("X") permit (principal, action, resource);';
    assertRefused(permit, /required control segment-listener-class is missing/);
    assertRefused(withPolicy('enrollment', ''), /permit with @id\("enrollment"\) is missing/);
  });
});

describe('rule 4: each action has its own context, and no earlier action is judged by facts of a later one', () => {
  it('admit asks for segment and source rate only', () => {
    assert.equal(judge(bundle, provenFacts('admit')).decision, 'allow');
    const unseen = provenFacts('admit', {
      segment: { templateServed: false, classAllowed: false },
      rate: { device: false, template: false },
    });
    assert.equal(judge(bundle, unseen).decision, 'allow');
  });

  it('facts of another action are refused as unevaluable', () => {
    const strangers: readonly [Action, object][] = [
      ['admit', { key: { algorithmAllowed: true, strong: true, unshared: true } }],
      ['enroll', { renewal: { windowOpen: true } }],
      ['renew', { secret: provenFacts('enroll').context.secret ?? {} }],
    ];
    for (const [action, stranger] of strangers) {
      const { decision, objections } = judge(bundle, provenFacts(action, stranger));
      assert.equal(decision, 'deny');
      assert.deepEqual(
        objections.map(({ control }) => control),
        ['unevaluable'],
      );
    }
  });

  it('a control that reads facts of a later stage is refused at load', () => {
    assertRefused(
      withOwn(`@id("own") @title("Own")
        forbid (principal, action, resource) unless { context has evidence && context.evidence.verified };`),
      /own reads evidence, of which admit knows nothing/,
    );
  });
});

describe('rule 5: hold only where an operator may lift every objection and observing was complete', () => {
  const unapproved = { approval: { granted: false, lifts: [] } };

  it('holds where all that object may be lifted', () => {
    const facts = provenFacts('enroll', { approval: { required: true, granted: false, lifts: [] } });
    const { decision, objections } = judge(bundle, facts);
    assert.equal(decision, 'hold');
    assert.deepEqual(
      objections.map(({ control, liftable }) => ({ control, liftable })),
      [
        { control: 'class-approval', liftable: true },
        { control: 'first-enrollment', liftable: true },
      ],
    );
  });

  it('denies where one of them may not', () => {
    const facts = provenFacts('enroll', { ...unapproved, key: { unshared: false } });
    assert.equal(judge(bundle, facts).decision, 'deny');
    assert.deepEqual(controlsObjecting(facts), ['first-enrollment', 'key-unshared']);
  });

  it('denies where something was not observed, and says what', () => {
    const facts = provenFacts('enroll', { approval: null });
    const { decision, objections } = judge(bundle, facts);
    assert.equal(decision, 'deny');
    const incomplete = objections.find(({ control }) => control === 'incomplete');
    assert.deepEqual(incomplete, {
      control: 'incomplete',
      title: 'Everything that the action demands must have been observed',
      detail: 'Nothing is known of: approval',
      liftable: false,
    });
  });

  it('misses every group of the action but the credentials of an attested request', () => {
    const attested = { evidence: { required: true, offered: true, verified: true } };
    for (const action of actions) {
      for (const group of Object.keys(provenFacts(action).context)) {
        const facts = provenFacts(
          action,
          action === 'admit' ? { [group]: null } : { ...attested, [group]: null },
        );
        const misses = controlsObjecting(facts).includes('incomplete');
        assert.equal(misses, group !== 'secret', `${action} without ${group}`);
      }
    }
  });
});

describe('rule 6: judging is remembered by what the policies read, and changes nothing', () => {
  it('two bundles never share a verdict', () => {
    const stricter = loadBundle(
      withOwn('@id("frozen") @title("Frozen") forbid (principal, action, resource == Template::"wifi");'),
      references,
    );
    for (let round = 0; round < 2; round += 1) {
      assert.equal(judge(bundle, provenFacts('enroll')).decision, 'allow');
      assert.equal(judge(stricter, provenFacts('enroll')).decision, 'deny');
    }
  });

  it('the words come from the facts at hand, not from those remembered', () => {
    const weak = provenFacts('enroll', { key: { strong: false } });
    for (const why of ['RSA of 1024 bits', 'ROCA']) {
      const { objections } = judge(bundle, { ...weak, reasons: { 'key-strength': why } });
      assert.deepEqual(
        objections.map(({ detail }) => detail),
        [why],
      );
    }
    const [objection] = judge(bundle, weak).objections;
    assert.equal(objection?.detail, objection?.title);
  });

  // Random facts: judge.test.ts.
  it('a remembered verdict equals an unremembered one, and is another object', () => {
    const facts = provenFacts('enroll', { secret: { unused: false } });
    const [first, second] = [judge(bundle, facts), judge(bundle, facts)];
    assert.deepEqual(first, judgeUnremembered(bundle, facts));
    assert.deepEqual(second, first);
    assert.notEqual(second, first);
  });
});

describe('rule 7: policies may not read erasable personal fields', () => {
  it('the schema does not offer them', () => {
    for (const [group, field] of [
      ['device', 'owner'],
      ['device', 'id'],
      ['device', 'serialNumber'],
      ['segment', 'address'],
      ['request', 'commonName'],
    ]) {
      assertRefused(
        withOwn(`@id("own") @title("Own") forbid (principal, action == Action::"enroll", resource)
          unless { context has ${group} && context.${group}.${field} == "x" };`),
        new RegExp(`own: .*${group}\\.${field}.* not found`),
      );
    }
  });
});
