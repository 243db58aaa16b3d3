import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { loadBundle } from './bundle.ts';
import { defaultPolicies } from './default-policies.ts';
import type { Facts, Verdict } from './facts.ts';
import { judge, judgeUnremembered } from './judge.ts';
import { expectation } from './oracle.testing.ts';
import { withOwn } from './policy-text.testing.ts';
import { emptyFacts, provenFacts, references } from './proven-facts.testing.ts';
import { randomFacts, spoiledFacts } from './random-facts.testing.ts';
import { judgedBy } from './verdict.ts';

const bundle = loadBundle(defaultPolicies(), references);

/** Reads an attribute that the default policies do not, templates and device classes, and sometimes errs. */
const intricate = loadBundle(
  withOwn(`
    @id("offered") @title("Evidence that was offered must be good")
    forbid (principal == DeviceClass::"printer", action in [Action::"enroll", Action::"renew"], resource)
    unless { context has evidence && (!context.evidence.offered || context.evidence.verified) };

    @id("overflow") @title("Sometimes cannot be evaluated")
    forbid (principal, action == Action::"renew", resource == Template::"vpn")
    unless {
      context has device &&
      (if context.device.state == "expected" then 9223372036854775807 + 1 > 0 else context.device.known)
    };`),
  references,
);

const controlsOf = ({ objections }: Verdict): string[] => objections.map(({ control }) => control);

describe('the judge, by random facts', () => {
  it('decides and objects as the rules say, and as it does without its memory', () => {
    let allowed = 0;
    fc.assert(
      fc.property(randomFacts, (facts) => {
        const verdict = judge(bundle, facts);
        const expected = expectation(facts);
        assert.deepEqual({ decision: verdict.decision, controls: controlsOf(verdict) }, expected);
        assert.deepEqual(judgeUnremembered(bundle, facts), verdict);
        assert.deepEqual(judge(bundle, facts), verdict);
        if (verdict.decision === 'allow') allowed += 1;
      }),
      { numRuns: 500 },
    );
    assert.ok(allowed > 20, `only ${allowed} of the random facts were allowed: they test little`);
  });

  it('gives one verdict with and without its memory also where an own control reads more, or errs', () => {
    fc.assert(
      fc.property(randomFacts, (facts) => {
        const verdict = judge(intricate, facts);
        assert.deepEqual(judgeUnremembered(intricate, facts), verdict);
        const own = controlsOf(verdict).filter((control) => !expectation(facts).controls.includes(control));
        assert.ok(own.every((control) => control === 'offered' || control === 'overflow'));
        if (own.length > 0) assert.equal(verdict.decision, 'deny');
      }),
      { numRuns: 300 },
    );
  });

  it('never throws for facts that do not fit the schema, and never remembers them wrongly', () => {
    fc.assert(
      fc.property(spoiledFacts, (facts) => {
        const verdict = judge(bundle, facts);
        assert.deepEqual(judgeUnremembered(bundle, facts), verdict);
      }),
      { numRuns: 500 },
    );
  });
});

describe('facts that do not fit the schema', () => {
  const spoiled = (change: object): Facts => {
    const facts = provenFacts('enroll');
    return { ...facts, context: { ...facts.context, ...change } };
  };

  it('are denied as unevaluable, though all that the policies read is proven', () => {
    judge(bundle, provenFacts('enroll'));
    for (const change of [
      { stranger: {} },
      { evidence: { ...provenFacts('enroll').context.evidence, offered: 'no' } },
      { evidence: { ...provenFacts('enroll').context.evidence, extra: true } },
      { evidence: { required: false, offered: false, verified: false } },
      { key: { algorithmAllowed: true, strong: 1, unshared: true } },
      { key: null },
      { secret: { known: true } },
    ]) {
      const { decision, objections } = judge(bundle, spoiled(change));
      assert.equal(decision, 'deny', JSON.stringify(change));
      assert.deepEqual(
        objections.map(({ control, liftable }) => ({ control, liftable })),
        [{ control: 'unevaluable', liftable: false }],
      );
    }
  });

  it('are named where a group is a stranger to the action', () => {
    const [objection] = judge(bundle, spoiled({ renewal: { windowOpen: true } })).objections;
    assert.equal(objection?.detail, 'The facts do not fit the schema: enroll knows nothing of renewal');
  });

  it('take a group that is undefined for absent', () => {
    assert.ok(controlsOf(judge(bundle, spoiled({ key: undefined }))).includes('incomplete'));
  });

  it('cannot name an action that the schema does not know', () => {
    const facts = { ...provenFacts('enroll'), action: 'access' } as unknown as Facts;
    assert.deepEqual(controlsOf(judge(bundle, facts)), ['unevaluable']);
    assert.deepEqual(controlsOf(judge(bundle, { ...facts, action: '__proto__' } as unknown as Facts)), [
      'unevaluable',
    ]);
  });
});

describe('a verdict', () => {
  it('is sorted by control', () => {
    const controls = controlsOf(judge(bundle, emptyFacts('renew')));
    assert.deepEqual(controls, controls.toSorted());
  });

  it('takes its words from the reasons of the facts, and only from their own', () => {
    const facts = provenFacts('enroll', { key: { strong: false, unshared: false } });
    const inherited = Object.create({ 'key-unshared': 'inherited' }) as Record<string, string>;
    const { objections } = judge(bundle, {
      ...facts,
      reasons: Object.assign(inherited, { 'key-strength': 'ROCA' }),
    });
    assert.deepEqual(
      objections.map(({ control, detail }) => [control, detail]),
      [
        ['key-strength', 'ROCA'],
        ['key-unshared', 'No other device may have, or have had, a certificate for this key'],
      ],
    );
  });

  it('is frozen, with all that it holds', () => {
    for (const verdict of [judge(bundle, provenFacts('enroll')), judge(bundle, emptyFacts('enroll'))]) {
      assert.ok(Object.isFrozen(verdict));
      assert.ok(Object.isFrozen(verdict.objections));
      assert.ok(verdict.objections.every((objection) => Object.isFrozen(objection)));
    }
  });

  it('is known as the judge’s own, and no copy is', () => {
    const verdict = judge(bundle, provenFacts('enroll'));
    assert.equal(verdict.decision, 'allow');
    assert.deepEqual(judgedBy(verdict), { action: 'enroll', template: provenFacts('enroll').template });
    assert.ok(judgedBy(judgeUnremembered(bundle, provenFacts('enroll'))));
    assert.equal(judgedBy({ ...verdict }), null);
    assert.equal(judgedBy({ decision: 'allow', objections: [] }), null);
  });
});
