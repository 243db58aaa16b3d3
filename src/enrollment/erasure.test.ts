import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { encodeEntry, maximumEntryLength } from '#audit';
import { isSallyportError } from '#errors';
import { eraseAct, erasedBy, inActs, rangesOf } from './erasure.ts';

const indexes = fc
  .uniqueArray(fc.nat({ max: 200 }), { maxLength: 100 })
  .map((all) => all.toSorted((a, b) => a - b));
const act = (erased: unknown) => ({ type: 'act', act: eraseAct, detail: { erased } });

suite('what an act erased', () => {
  test('is said in as few ranges as there are gaps, and comes back as the same indexes', () => {
    fc.assert(
      fc.property(indexes, (ascending) => {
        const ranges = rangesOf(ascending);
        assert.deepEqual(
          ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)),
          ascending,
        );
        assert.ok(ranges.every(([first], at) => at === 0 || first > ranges[at - 1]![1] + 1));
        const erased = [{ log: 'a', indexes: ranges }];
        assert.deepEqual(erasedBy(act(erased)), erased);
      }),
    );
  });

  test('is told by several acts where it does not fit into one entry, and nothing of it twice', () => {
    const alternate = (count: number) =>
      rangesOf(Array.from({ length: count }, (_, at) => 90_000_000 + at * 2));
    const erased = [
      { log: 'a/log', indexes: alternate(4_000) },
      { log: 'a/log/restored', indexes: alternate(10) },
    ];
    const acts = inActs(erased);
    assert.equal(acts.length, 3);
    for (const each of acts) assert.ok(encodeEntry(act(each)).length < maximumEntryLength / 2);
    for (const { log, indexes: all } of erased) {
      const told = acts.flat().filter((each) => each.log === log);
      assert.deepEqual(
        told.flatMap((each) => each.indexes),
        all,
      );
    }
    assert.deepEqual(inActs([]), []);
  });

  test('is nothing for another act, and has to be in order', () => {
    assert.deepEqual(erasedBy({ ...act('anything'), act: 'device.retire' }), []);
    assert.deepEqual(erasedBy({ ...act('anything'), type: 'authority' }), []);
    for (const erased of [
      undefined,
      null,
      [null],
      [{ log: 1, indexes: [] }],
      [{ log: 'a', indexes: [[2, 1]] }],
      [{ log: 'a', indexes: [[-1, 1]] }],
      [{ log: 'a', indexes: [[0, 1.5]] }],
      [{ log: 'a', indexes: [[0, 3, 4]] }],
      [
        {
          log: 'a',
          indexes: [
            [3, 4],
            [4, 5],
          ],
        },
      ],
    ]) {
      assert.throws(
        () => erasedBy(act(erased)),
        (error) => isSallyportError(error, 'log'),
      );
    }
    assert.throws(() => erasedBy({ type: 'act', act: eraseAct }));
  });
});
