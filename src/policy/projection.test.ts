import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Context, Facts } from './facts.ts';
import { memoKey, project } from './projection.ts';
import { provenFacts } from './proven-facts.testing.ts';
import type { Reading } from './reading.ts';
import { loadSchema } from './schema.ts';

const reading = (...facts: string[]): Reading => ({
  facts: new Set(facts),
  groups: new Set(),
  entities: [],
  whenReadsFacts: false,
  actions: [],
});

const keyFor = (facts: Facts, ...read: string[]): string | null =>
  memoKey(project('digest', loadSchema(), [reading(...read)]), facts);

const enroll = provenFacts('enroll');
const weak = provenFacts('enroll', { key: { strong: false } });

describe('the key of the memo', () => {
  it('is the same where only what no policy reads differs', () => {
    assert.equal(keyFor(enroll, 'key.unshared'), keyFor(weak, 'key.unshared'));
    assert.equal(keyFor(enroll), keyFor({ ...weak, reasons: { 'key-strength': 'ROCA' } }));
  });

  it('differs where a policy reads the difference, by attribute, by group or whole', () => {
    for (const read of ['key.strong', 'key', '']) {
      assert.notEqual(keyFor(enroll, read), keyFor(weak, read), read);
    }
  });

  it('carries the presence of every group, read or not', () => {
    const keys = Object.keys(enroll.context).map((group) => keyFor(provenFacts('enroll', { [group]: null })));
    assert.equal(new Set([...keys, keyFor(enroll)]).size, keys.length + 1);
  });

  it('carries the bundle, the action, the device class and the template, and keeps them apart', () => {
    const facts = provenFacts('enroll', { secret: null });
    const keys = [
      memoKey(project('other', loadSchema(), []), facts),
      keyFor(facts),
      keyFor({ ...provenFacts('renew', { presenter: null, renewal: null }) }),
      keyFor({ ...facts, deviceClass: 'a', template: 'b' }),
      keyFor({ ...facts, deviceClass: 'b', template: 'a' }),
      keyFor({ ...facts, deviceClass: 'a","b', template: '' }),
      keyFor({ ...facts, deviceClass: 'a', template: '","b' }),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });

  it('carries whether evidence was verified, which the judge itself reads', () => {
    assert.notEqual(keyFor(enroll), keyFor(provenFacts('enroll', { evidence: { verified: true } })));
  });

  it('is null for what does not fit the schema', () => {
    const { context } = enroll;
    for (const change of [
      { stranger: {} },
      { renewal: { windowOpen: true } },
      { key: { ...context.key, strong: 'yes' } },
      { key: { ...context.key, extra: true } },
      { key: { strong: true } },
      { key: null },
      { key: undefined },
      { key: 'strong' },
      { approval: { ...context.approval, lifts: 'all' } },
      { approval: { ...context.approval, lifts: [1] } },
    ]) {
      assert.equal(
        keyFor({ ...enroll, context: { ...context, ...change } as Context }),
        null,
        JSON.stringify(change),
      );
    }
    assert.equal(keyFor({ ...enroll, action: 'access' } as unknown as Facts), null);
    assert.equal(keyFor({ ...enroll, action: 'toString' } as unknown as Facts), null);
  });
});
