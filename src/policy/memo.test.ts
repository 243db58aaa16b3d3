import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { Memo } from './memo.ts';

describe('the memo', () => {
  it('finds once what it remembers', () => {
    const memo = new Memo<number>(2);
    let found = 0;
    const find = (): number => (found += 1);
    assert.equal(memo.recall('a', find), 1);
    assert.equal(memo.recall('a', find), 1);
    assert.equal(memo.recall('b', find), 2);
  });

  it('forgets what was used longest ago', () => {
    const memo = new Memo<string>(2);
    for (const key of ['a', 'b', 'a', 'c']) memo.recall(key, () => `first ${key}`);
    assert.equal(
      memo.recall('a', () => 'again'),
      'first a',
    );
    assert.equal(
      memo.recall('b', () => 'again'),
      'again',
    );
  });

  it('never holds more than its limit, and never gives the value of another key', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 1 })), fc.integer({ min: 1, max: 5 }), (keys, limit) => {
        const memo = new Memo<{ key: string }>(limit);
        for (const key of keys) {
          assert.equal(memo.recall(key, () => ({ key })).key, key);
          assert.ok(memo.size <= limit);
        }
      }),
    );
  });
});
