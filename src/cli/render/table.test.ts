import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { colours } from './paint.ts';
import { type Column, formatTable, tableWidth } from './table.ts';

const columns: Column[] = [{ title: 'ID' }, { title: 'NAME', shrinkTo: 8 }, { title: 'N', align: 'right' }];

test('columns are as wide as they need, numbers to the right', () => {
  const table = formatTable(columns, [
    ['a', 'laptop', '7'],
    ['bcd', 'x', '1000'],
  ]);
  assert.equal(table, 'ID   NAME       N\na    laptop     7\nbcd  x       1000\n');
});

test('a table too wide is cut where it may be, and nowhere else', () => {
  const id = 'i'.repeat(40);
  const table = formatTable(columns, [[id, 'n'.repeat(80), '7']]);
  const [, row] = table.split('\n');
  assert.equal(row!.length, tableWidth);
  assert.ok(row!.startsWith(id));
  assert.match(row!, /n…  7$/);
});

test('whatever is in the cells: one line a row, within the width, and no control character', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  const shrinking: Column[] = [
    { title: 'A', shrinkTo: 10 },
    { title: 'B', shrinkTo: 10 },
    { title: 'C', shrinkTo: 10 },
  ];
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text)), (rows) => {
      const lines = formatTable(shrinking, rows).split('\n');
      assert.equal(lines.length, rows.length + 2);
      for (const line of lines) {
        assert.ok([...line].length <= tableWidth);
        assert.doesNotMatch(line, /\p{Cc}|\p{Cf}/u);
      }
    }),
  );
});

test('colour does not change the alignment', () => {
  const painted = formatTable(
    [{ title: 'STATE', paint: colours.good }, { title: 'N' }],
    [
      ['ok', '1'],
      ['longer', '2'],
    ],
  );
  const bare = painted.replaceAll(/\u001B\[\d+m/g, '');
  assert.equal(
    bare,
    formatTable(
      [{ title: 'STATE' }, { title: 'N' }],
      [
        ['ok', '1'],
        ['longer', '2'],
      ],
    ),
  );
  assert.notEqual(bare, painted);
});
