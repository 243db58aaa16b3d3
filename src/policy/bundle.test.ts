import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import { isSallyportError } from '#errors';

import { type Bundle, loadBundle, loadRecordedBundle } from './bundle.ts';
import { controlTable, requiredControls } from './controls.ts';
import { defaultPolicies } from './default-policies.ts';
import { factsAsOf, judge } from './judge.ts';
import { rewriteUnless, withOwn, withoutPolicies, withPolicy } from './policy-text.testing.ts';
import { provenFacts, references } from './proven-facts.testing.ts';

function assertRefused(text: string, words: RegExp, load = loadBundle): void {
  assert.throws(
    () => load(text, references),
    (error) => {
      assert.ok(isSallyportError(error, 'policy'), String(error));
      assert.match(error.message, words);
      return true;
    },
  );
}

const objecting = (bundle: Bundle, facts = provenFacts('enroll')): string[] =>
  judge(bundle, facts).objections.map(({ control }) => control);

describe('a loaded bundle', () => {
  it('carries the digest of its text, and its controls in the order of the page', () => {
    const text = defaultPolicies();
    const { digest, controls, text: kept } = loadBundle(text, references);
    assert.equal(digest, createHash('sha256').update(text).digest('hex'));
    assert.equal(kept, text);
    const onThePage = [...text.matchAll(/^@id\("(.*)"\)$/gm)].map(([, id]) => id);
    assert.deepEqual(['enrollment', ...controls.map(({ id }) => id)], onThePage);
  });

  it('is the required controls, by default, with words for each', () => {
    const { controls } = loadBundle(defaultPolicies(), references);
    const required = new Set(Object.values(requiredControls).flat());
    assert.deepEqual(new Set(controls.map(({ id }) => id)), required);
    for (const { id, title, text } of controls) {
      assert.match(title, /^[A-Z].{20,}[^.]$/, id);
      assert.match(text, /^@id\(.*\);?.*;$/s);
    }
  });

  it('says which controls an operator may lift', () => {
    const { controls } = loadBundle(defaultPolicies(), references);
    const liftable = controls.filter((control) => control.liftable).map(({ id }) => id);
    assert.deepEqual(liftable.sort(), [
      'attestation-rollback',
      'attestation-shared',
      'class-approval',
      'enrollment-again',
      'first-enrollment',
      'renewal-lineage',
      'renewal-window',
    ]);
  });

  it('loads for no template and no device class at all, and for many', () => {
    loadBundle(defaultPolicies(), { templates: [], deviceClasses: [] });
    const many = Array.from({ length: 500 }, (_, index) => `name ${index}`);
    loadBundle(defaultPolicies(), { templates: many, deviceClasses: many });
  });

  it('cannot be made by hand', () => {
    const copy = { ...loadBundle(defaultPolicies(), references) };
    assert.throws(
      () => judge(copy, provenFacts('enroll')),
      (error) => isSallyportError(error, 'policy'),
    );
  });
});

describe('a recorded bundle', () => {
  const later = ['renewal-lineage', 'attestation-rollback', 'attestation-shared'];
  const earlier = withoutPolicies(...later);
  /** As facts were derived before those controls came. */
  const earlierFacts = (action: 'enroll' | 'renew', change = {}) =>
    provenFacts(action, {
      versions: null,
      attestingKey: null,
      ...(action === 'renew' ? { lineage: null } : {}),
      ...change,
    });

  it('may lack the controls that came later and no others, and such a text is not put in force', () => {
    const came = controlTable.filter(({ brought }) => brought !== null).map(({ id }) => id);
    assert.deepEqual(came.toSorted(), later.toSorted());
    loadRecordedBundle(earlier, references);
    assertRefused(earlier, /renewal-lineage is missing.*attestation-rollback.*attestation-shared/);
    for (const { id } of controlTable) {
      if (later.includes(id)) loadRecordedBundle(withPolicy(id, ''), references);
      else assertRefused(withPolicy(id, ''), new RegExp(`${id} is missing`), loadRecordedBundle);
    }
  });

  it('is examined as any other', () => {
    assertRefused(
      `${earlier}\n@id("x") @title("X") permit (principal, action, resource);`,
      /x is a permit/,
      loadRecordedBundle,
    );
    assertRefused(
      withPolicy(
        'key-strength',
        rewriteUnless((proof) => `unless { (${proof}) || context has key }`),
      ),
      /key-strength is weaker than required/,
      loadRecordedBundle,
    );
    assertRefused(
      withPolicy(
        'renewal-lineage',
        rewriteUnless((proof) => `unless { (${proof}) || resource == Template::"vpn" }`),
      ),
      /renewal-lineage does not object when nothing is known/,
      loadRecordedBundle,
    );
    assertRefused(
      `${earlier}\n@id("x") @title("X") forbid (principal, action == Action::"renew", resource) unless { context has lineage && context.lineage.uncontested };`,
      /x reads lineage, of which renew knows nothing/,
      loadRecordedBundle,
    );
  });

  it('judges facts as they were then, and misses nothing that nobody asked for', () => {
    const bundle = loadRecordedBundle(earlier, references);
    for (const action of ['enroll', 'renew'] as const) {
      assert.equal(judge(bundle, earlierFacts(action)).decision, 'allow');
      assert.deepEqual(objecting(bundle, earlierFacts(action, { key: { strong: false } })), ['key-strength']);
      const { objections } = judge(bundle, earlierFacts(action, { approval: null }));
      const { detail } = objections.find(({ control }) => control === 'incomplete')!;
      assert.equal(detail, 'Nothing is known of: approval');
      assert.deepEqual(factsAsOf(bundle, provenFacts(action)), earlierFacts(action));
      // Twice: what does not fit is not remembered.
      for (let round = 0; round < 2; round += 1) {
        assert.deepEqual(objecting(bundle, provenFacts(action)), ['unevaluable']);
      }
    }
    assert.deepEqual(factsAsOf(bundle, provenFacts('admit')), provenFacts('admit'));
  });

  it('takes from facts what it lacks alone', () => {
    const bundle = loadRecordedBundle(withoutPolicies('renewal-lineage'), references);
    const renew = provenFacts('renew', { lineage: null });
    assert.deepEqual(factsAsOf(bundle, provenFacts('renew')), renew);
    assert.equal(judge(bundle, renew).decision, 'allow');
    const unseen = provenFacts('renew', { lineage: null, versions: null });
    assert.deepEqual(objecting(bundle, unseen), ['attestation-rollback', 'incomplete']);
  });

  it('with every control is judged by as what is in force: what was not observed is an objection', () => {
    for (const load of [loadBundle, loadRecordedBundle]) {
      const bundle = load(defaultPolicies(), references);
      for (const action of ['enroll', 'renew'] as const) {
        assert.equal(judge(bundle, provenFacts(action)).decision, 'allow');
        assert.deepEqual(factsAsOf(bundle, provenFacts(action)), provenFacts(action));
        const silent = later.filter((id) => action === 'renew' || id !== 'renewal-lineage');
        assert.deepEqual(objecting(bundle, earlierFacts(action)), [...silent, 'incomplete'].toSorted());
        assert.equal(judge(bundle, earlierFacts(action)).decision, 'deny');
      }
    }
  });
});

describe("an operator's own forbid", () => {
  it('may be about one template', () => {
    const bundle = loadBundle(
      withOwn(`@id("vpn-needs-attestation") @title("The VPN is for attested devices")
        forbid (principal, action in [Action::"enroll", Action::"renew"], resource == Template::"vpn")
        unless { context has evidence && context.evidence.verified };`),
      references,
    );
    assert.deepEqual(objecting(bundle), []);
    assert.deepEqual(objecting(bundle, { ...provenFacts('enroll'), template: 'vpn' }), [
      'vpn-needs-attestation',
    ]);
  });

  it('may shut the door for some device classes outright', () => {
    const bundle = loadBundle(
      withOwn(`@id("printers-frozen") @title("No printers this week")
        forbid (principal, action, resource)
        when { principal == DeviceClass::"printer" && resource != Template::"server" };`),
      references,
    );
    assert.deepEqual(objecting(bundle), []);
    assert.deepEqual(objecting(bundle, { ...provenFacts('admit'), deviceClass: 'printer' }), [
      'printers-frozen',
    ]);
  });

  it('may be one that an operator lifts', () => {
    const bundle = loadBundle(
      withOwn(`@id("printers-by-hand") @title("Printers are approved one by one") @hold
        forbid (principal == DeviceClass::"printer", action == Action::"enroll", resource)
        unless { context has approval && context.approval.granted && context.approval.lifts.contains("printers-by-hand") };`),
      references,
    );
    const facts = { ...provenFacts('enroll'), deviceClass: 'printer' };
    const { decision, objections } = judge(bundle, facts);
    assert.equal(decision, 'hold');
    assert.deepEqual(objections, [
      {
        control: 'printers-by-hand',
        title: 'Printers are approved one by one',
        detail: 'Printers are approved one by one',
        liftable: true,
      },
    ]);
  });
});

describe('loading refuses', () => {
  it('text that does not parse, with line and column', () => {
    assertRefused(
      '@id("x")\npermit (principal, action, resource)\n',
      /line 2, column 37: unexpected end of input/,
    );
    assertRefused('// Straße\n  pérmit', /line 2, column 4/);
  });

  it('an empty text, and a text of comments', () => {
    assertRefused('', /permit with @id\("enrollment"\) is missing/);
    assertRefused('// nothing', /permit with @id\("enrollment"\) is missing/);
  });

  it('slots', () => {
    assertRefused(
      withOwn('@id("x") @title("X") forbid (principal == ?principal, action, resource);'),
      /slots/,
    );
  });

  it('a policy without @id, or with a malformed, reserved or second one', () => {
    const body = 'forbid (principal, action, resource);';
    assertRefused(withOwn(`@title("X") ${body}`), /has no @id/);
    assertRefused(withOwn(`@id @title("X") ${body}`), /has no @id/);
    assertRefused(withOwn(`@id("No Good") @title("X") ${body}`), /lower-case words/);
    assertRefused(withOwn(`@id("__proto__") @title("X") ${body}`), /lower-case words/);
    assertRefused(withOwn(`@id("incomplete") @title("X") ${body}`), /reserved/);
    assertRefused(withOwn(`@id("key-strength") @title("X") ${body}`), /key-strength.*more than one policy/);
  });

  it('a policy without @title', () => {
    assertRefused(withOwn('@id("x") forbid (principal, action, resource);'), /x has no @title/);
  });

  it('a second permit, whatever its id, and a permit that is not the open one', () => {
    assertRefused(
      withOwn('@id("mine") @title("X") permit (principal, action, resource);'),
      /mine is a permit: only enrollment may be one/,
    );
    assertRefused(
      withOwn('@id("enrollment") @title("X") permit (principal, action, resource);'),
      /"enrollment".*more than one policy/,
    );
    for (const narrowed of [
      'permit (principal, action == Action::"admit", resource);',
      'permit (principal, action, resource) when { context has segment };',
      'forbid (principal, action, resource);',
    ]) {
      assertRefused(
        withPolicy('enrollment', `@id("enrollment") @title("X") ${narrowed}`),
        /enrollment must be/,
      );
    }
  });

  it('an attribute, an entity type or an action that the schema does not know', () => {
    const own = (rest: string): string => withOwn(`@id("x") @title("X") forbid ${rest};`);
    assertRefused(
      own('(principal, action == Action::"enroll", resource) unless { context has key && context.key.good }'),
      /x: .*key\.good.* not found/,
    );
    assertRefused(own('(principal == User::"root", action, resource)'), /User::"root"/);
    assertRefused(own('(principal, action == Action::"access", resource)'), /unrecognized action/);
  });

  it('a fact read before its group is known to be there', () => {
    assertRefused(
      withOwn(
        '@id("x") @title("X") forbid (principal, action == Action::"enroll", resource) unless { context.key.strong };',
      ),
      /x: .*optional/,
    );
  });

  it('a policy that can never object', () => {
    assertRefused(
      withOwn('@id("x") @title("X") forbid (principal, action, resource) unless { true };'),
      /x: .*impossible/,
    );
  });

  it('look-alike letters in a name', () => {
    const templates = [...references.templates, 'vрn'];
    const text = withOwn('@id("x") @title("X") forbid (principal, action, resource == Template::"vрn");');
    assert.throws(() => loadBundle(text, { ...references, templates }), /mixed scripts/);
  });

  it('a template or device class that is not configured', () => {
    const own = (scope: string): string => withOwn(`@id("x") @title("X") forbid (${scope});`);
    assertRefused(
      own('principal, action, resource == Template::"vnp"'),
      /Template::"vnp", which is not configured/,
    );
    assertRefused(own('principal == DeviceClass::"toaster", action, resource'), /DeviceClass::"toaster"/);
    assertRefused(
      withOwn(
        '@id("x") @title("X") forbid (principal, action, resource) when { [Template::"vnp"].contains(resource) };',
      ),
      /Template::"vnp"/,
    );
  });

  it('@hold on a control that no operator may lift', () => {
    assertRefused(
      withPolicy('key-unshared', (policy) => policy.replace('forbid', '@hold\nforbid')),
      /key-unshared must not carry @hold/,
    );
  });

  it('@hold without the clause by which an approval lifts it', () => {
    const own = (id: string, unless: string): string =>
      withOwn(`@id("${id}") @title("X") @hold
        forbid (principal, action == Action::"enroll", resource == Template::"vpn") unless { ${unless} };`);
    assertRefused(
      own('x', 'context has key && context.key.strong'),
      /x carries @hold, but an approval does not lift it/,
    );
    assertRefused(
      own('x', 'context has approval && context.approval.lifts.contains("x")'),
      /x is lifted by an approval that was not granted/,
    );
    assertRefused(
      own('x', 'context has approval && context.approval.granted'),
      /x is lifted by an approval that does not name it/,
    );
    assertRefused(
      withOwn('@id("x") @title("X") @hold forbid (principal, action == Action::"admit", resource);'),
      /x carries @hold, but applies where no approval is known \(admit/,
    );
  });
});
