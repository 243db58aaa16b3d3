import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { sqliteCompiler } from './sqlite/dialect.ts';
import { compileStatement, statement } from './statement.ts';

const update = statement((database, p: { note: string; size: number }) =>
  database
    .updateTable('log_note')
    .set({ note: p.note, size: p.size })
    .where('size', '<', p.size)
    .where('id', '=', 1),
);

const insertHead = statement((database, p: { origin: string; size: number; hashes: Uint8Array }) =>
  database
    .insertInto('log_head')
    .values({ id: 1, number: 0, origin: p.origin, size: p.size, hashes: p.hashes }),
);

suite('a statement', () => {
  test('binds its parameters in the order of the SQL, constants among them, a parameter as often as it is named', () => {
    const compiled = compileStatement(update, sqliteCompiler);
    assert.equal(compiled.sql, 'update "log_note" set "note" = ?, "size" = ? where "size" < ? and "id" = ?');
    assert.deepEqual(compiled.bind({ size: 7, note: 'n', unused: 'x' }), ['n', 7, 7, 1]);
  });

  test('binds bytes as they are', () => {
    const hashes = Buffer.from([0, 255]);
    assert.equal(
      compileStatement(insertHead, sqliteCompiler).bind({ origin: 'o', size: 0, hashes })[4],
      hashes,
    );
  });

  const refused: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['an integer that a double may have rounded', 2 ** 53],
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['a bigint', 1n],
    ['a boolean', true],
    ['an object', {}],
  ];
  for (const [what, value] of refused) {
    test(`refuses ${what}`, () => {
      const { bind } = compileStatement(update, sqliteCompiler);
      assert.throws(
        () => bind({ note: 'n', size: value }),
        (error) => isSallyportError(error, 'internal') && error.message.includes('size'),
      );
    });
  }

  test('takes null, the largest safe integer and a fraction', () => {
    const { bind } = compileStatement(update, sqliteCompiler);
    assert.deepEqual(bind({ note: null, size: Number.MAX_SAFE_INTEGER }).slice(0, 2), [
      null,
      Number.MAX_SAFE_INTEGER,
    ]);
    assert.equal(bind({ note: 'n', size: 0.5 })[1], 0.5);
  });
});
