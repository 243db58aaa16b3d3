import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parsePolicies } from './cedar.ts';
import { type Reading, readPolicy } from './reading.ts';

function reading(policy: string): Reading {
  const [parsed] = parsePolicies(policy);
  assert.ok(parsed);
  return readPolicy(parsed.json);
}

const factsOf = (expression: string): string[] =>
  [...reading(`forbid (principal, action, resource) unless { ${expression} };`).facts].sort();

describe('what a policy reads', () => {
  it('is each fact it names, wherever it stands', () => {
    for (const [expression, facts] of [
      ['context.key.strong', ['key.strong']],
      ['context["key"]["strong"]', ['key.strong']],
      ['!context.key.strong || context.rate.source', ['key.strong', 'rate.source']],
      [
        'if context.key.strong then context.rate.source else context.rate.device',
        ['key.strong', 'rate.device', 'rate.source'],
      ],
      ['["active"].contains(context.device.state)', ['device.state']],
      ['[context.device.state, "x"].contains("x")', ['device.state']],
      ['context.device.state like "act*"', ['device.state']],
      [
        '{Var: context.key.strong, Value: context.rate.source, Record: {"has": context.key.unshared}} == {}',
        ['key.strong', 'key.unshared', 'rate.source'],
      ],
      ['{a: context.key.strong}.a', ['key.strong']],
      ['context.approval.lifts.contains("x")', ['approval.lifts']],
      ['context.approval.lifts.isEmpty()', ['approval.lifts']],
      ['decimal(context.device.state).lessThan(decimal("1.0"))', ['device.state']],
    ] satisfies [string, string[]][]) {
      assert.deepEqual(factsOf(expression), facts, expression);
    }
  });

  it('is a whole group, or all of the context, where it is used whole', () => {
    assert.deepEqual(factsOf('context.key == {strong: true}'), ['key']);
    assert.deepEqual(factsOf('[context].contains({})'), ['']);
    assert.deepEqual(factsOf('{a: context}.a.key.strong'), ['']);
    assert.deepEqual(factsOf('(if true then context else context).key.strong'), ['']);
  });

  it('is the presence of an attribute, but of a group only that the group is read', () => {
    assert.deepEqual(factsOf('context has key'), []);
    assert.deepEqual(factsOf('context has key.strong'), ['key.strong']);
    assert.deepEqual(factsOf('context.key has strong'), ['key.strong']);
    assert.deepEqual(factsOf('{a: context.key} has a'), ['key']);
    assert.deepEqual(
      [...reading('forbid (principal, action, resource) unless { context has key };').groups],
      ['key'],
    );
  });

  it('tells when from unless', () => {
    const policy = (kind: string, body: string): Reading =>
      reading(`forbid (principal, action, resource) ${kind} { ${body} };`);
    assert.ok(policy('when', 'context has key').whenReadsFacts);
    assert.ok(policy('when', 'context.key.strong').whenReadsFacts);
    assert.ok(policy('when', '[context].contains({})').whenReadsFacts);
    assert.ok(!policy('when', 'principal == DeviceClass::"x"').whenReadsFacts);
    assert.ok(!policy('unless', 'context.key.strong').whenReadsFacts);
  });

  it('finds each device class and template named, in scope and condition', () => {
    const named = (policy: string): string[] =>
      reading(policy).entities.map(({ type, id }) => `${type} ${id}`);
    assert.deepEqual(named('forbid (principal == DeviceClass::"a", action, resource in Template::"b");'), [
      'DeviceClass a',
      'Template b',
    ]);
    assert.deepEqual(
      named('forbid (principal is DeviceClass in DeviceClass::"a", action == Action::"renew", resource);'),
      ['DeviceClass a'],
    );
    assert.deepEqual(
      named(
        'forbid (principal, action, resource) when { [Template::"a", Template::"b"].contains(resource) };',
      ),
      ['Template a', 'Template b'],
    );
    assert.deepEqual(named('forbid (principal, action, resource) unless { {Value: Template::"a"} == {} };'), [
      'Template a',
    ]);
  });

  it('finds the actions of its scope', () => {
    const actionsOf = (scope: string): readonly string[] =>
      reading(`forbid (principal, ${scope}, resource);`).actions;
    assert.deepEqual(actionsOf('action'), ['admit', 'enroll', 'renew']);
    assert.deepEqual(actionsOf('action == Action::"renew"'), ['renew']);
    assert.deepEqual(actionsOf('action in Action::"enroll"'), ['enroll']);
    assert.deepEqual(actionsOf('action in [Action::"renew", Action::"admit"]'), ['admit', 'renew']);
  });
});

describe('the order of parsed policies', () => {
  it('is that of the page, also beyond ten and a hundred', () => {
    const count = 120;
    const text = Array.from(
      { length: count },
      (_, index) => `@id("p${index}") forbid (principal, action, resource);`,
    );
    const ids = parsePolicies(text.join('\n')).map(({ json }) => json.annotations?.['id']);
    assert.deepEqual(
      ids,
      Array.from({ length: count }, (_, index) => `p${index}`),
    );
  });
});
