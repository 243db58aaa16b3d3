import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isSallyportError } from '#errors';

import { loadBundle } from './bundle.ts';
import { controlTable } from './controls.ts';
import { defaultPolicies } from './default-policies.ts';
import { judge } from './judge.ts';
import { rewriteUnless, withOwn, withPolicy } from './policy-text.testing.ts';
import { parsePolicySet } from './policy-set.ts';
import { provenFacts, references } from './proven-facts.testing.ts';
import { findWeakened } from './weakening.ts';

const assertWeak = (id: string, text: string): void =>
  assert.throws(
    () => loadBundle(text, references),
    (error) => isSallyportError(error, 'policy') && error.message.includes(`${id} is weaker than required`),
    id,
  );

const fixed = controlTable.filter(({ liftable }) => !liftable).map(({ id }) => id);
const sample = ['segment-source', 'key-strength', 'secret-unused', 'renewal-unrevoked', 'attestation'];

it('every built-in control is as strong as it asks of others', () => {
  assert.deepEqual(findWeakened(parsePolicySet(defaultPolicies()), ''), []);
});

describe('a control that no operator may lift is refused when it is loosened', () => {
  it('by another proven fact', () => {
    for (const id of fixed) {
      const other = id.startsWith('rate-') ? 'segment' : 'rate';
      const fact = id.startsWith('rate-') ? 'tlsFloorMet' : 'source';
      const loosened = rewriteUnless(
        (proof) => `unless { (${proof}) || (context has ${other} && context.${other}.${fact}) }`,
      );
      assertWeak(id, withPolicy(id, loosened));
    }
  });

  it('by the mere presence of evidence in place of a secret or identity', () => {
    for (const id of fixed.filter((each) => /^(?:secret|identity)-/.test(each))) {
      assertWeak(
        id,
        withPolicy(id, (policy) => policy.replace('&& context.evidence.verified', '')),
      );
    }
  });

  it('by an approval', () => {
    const lifted = (id: string): string =>
      withPolicy(
        id,
        rewriteUnless(
          (proof) =>
            `unless { (${proof}) || (context has approval && context.approval.lifts.contains("${id}")) }`,
        ),
      );
    for (const id of sample.filter((each) => each !== 'segment-source')) assertWeak(id, lifted(id));
  });

  it('for one template, by its condition', () => {
    for (const id of sample) {
      const group = id.startsWith('secret-') ? 'secret' : 'segment';
      const loosened = rewriteUnless(
        (proof) => `unless { (${proof}) || (context has ${group} && resource == Template::"vpn") }`,
      );
      assertWeak(id, withPolicy(id, loosened));
    }
  });

  it('for one action', () => {
    const loosened = rewriteUnless(
      (proof) => `unless { (${proof}) || (context has key && action == Action::"renew") }`,
    );
    assertWeak('key-strength', withPolicy('key-strength', loosened));
  });

  it('by turning its fact around', () => {
    assertWeak(
      'key-strength',
      withPolicy('key-strength', (policy) => policy.replace('context.key', '!context.key')),
    );
  });
});

describe('what an operator may do', () => {
  it('tighten a control, its own fact first', () => {
    const tightened = rewriteUnless(
      (proof) => `unless { ${proof} && context has evidence && context.evidence.verified }`,
    );
    const bundle = loadBundle(withPolicy('key-strength', tightened), references);
    const { objections } = judge(bundle, provenFacts('renew'));
    assert.deepEqual(
      objections.map(({ control }) => control),
      ['key-strength'],
    );
  });

  it('loosen for all what may be lifted for one', () => {
    const loosened = rewriteUnless(
      (proof) => `unless { (${proof}) || (context has approval && principal == DeviceClass::"printer") }`,
    );
    const bundle = loadBundle(withPolicy('first-enrollment', loosened), references);
    const unapproved = provenFacts('enroll', { approval: { granted: false, lifts: [] } });
    assert.equal(judge(bundle, unapproved).decision, 'hold');
    assert.equal(judge(bundle, { ...unapproved, deviceClass: 'printer' }).decision, 'allow');
  });

  it('add a forbid beside all others', () => {
    loadBundle(
      withOwn('@id("x") @title("X") forbid (principal, action, resource == Template::"vpn");'),
      references,
    );
  });
});
