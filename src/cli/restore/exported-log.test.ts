import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompactRange, encodeEntry, leafHash } from '#audit';
import { ExportedLog } from './exported-log.ts';

const origin = 'ca.example.com/log';

const entryAt = (index: number) => ({
  act: 'device.suspend',
  time: 100 + index,
  detail: { device: `d${index}`, to: 'suspended' },
});
const leafAt = (index: number) => leafHash(encodeEntry(entryAt(index)));
const treeOf = (size: number) => {
  const tree = CompactRange.empty();
  for (let index = 0; index < size; index += 1) tree.append(leafAt(index));
  return tree;
};
const published = (size: number) => ({ origin, size, root: treeOf(size).root(), note: '' });

/** Of a backup with three entries. */
const exportedLog = (role: 'before' | 'own' = 'own') =>
  new ExportedLog({
    origin,
    role,
    size: 3,
    range: treeOf(3).toBytes(),
    reader: {
      hashes: { read: async (_level, from, to) => [0, 1, 2].slice(from, to).map(leafAt) },
    },
  });

const lineOf = (index: number, changes: object = {}) => {
  const entry = { ...entryAt(index), ...changes };
  const leaf = leafHash(encodeEntry(entry));
  return { origin, index, leaf, claimed: leaf, entry };
};

async function withLines(...indices: number[]): Promise<ExportedLog> {
  const log = exportedLog();
  for (const index of indices) assert.equal(await log.add(lineOf(index)), null);
  return log;
}

suite('the lines of a log', () => {
  test('are proven as far as a checkpoint goes, and not beyond it', async () => {
    const end = (await withLines(2, 3, 4, 5)).end(published(5));
    assert.deepEqual(
      end.told.map(({ proven }) => proven),
      [true, true, false],
    );
    const { entries, proven, missing, isWhole, newestTime } = end;
    assert.deepEqual([entries, proven, missing, isWhole, newestTime], [3, 2, 0, true, 104]);
  });

  test('prove nothing where one is missing, or no checkpoint is known', async () => {
    for (const [log, note, lost] of [
      [await withLines(3, 5), published(6), 1],
      [await withLines(3, 4), published(6), 1],
      [await withLines(3, 6), null, 2],
    ] as const) {
      const { proven, missing, newestTime, isWhole, told } = log.end(note);
      assert.deepEqual([proven, missing, newestTime, isWhole], [0, lost, 0, false]);
      assert.ok(told.every((each) => !each.proven));
    }
  });

  test('prove nothing by a checkpoint that the backup has already', async () => {
    const { proven, told, isWhole } = (await withLines(3)).end(published(2));
    assert.deepEqual([proven, told[0]!.proven, isWhole], [0, false, true]);
  });

  test('are refused where they are whole, and not the log that was published', async () => {
    const log = exportedLog();
    await log.add(lineOf(3, { time: 1 }));
    assert.throws(() => log.end(published(4)), { code: 'log', message: /one of them was changed/ });
  });

  test('are no lines of it where they contradict their hash, the backup or another', async () => {
    const log = await withLines(3);
    const changed = { time: 1 };
    assert.match(
      String(await log.add({ ...lineOf(4), claimed: leafAt(3) })),
      /another entry 4 than its hash/,
    );
    assert.match(String(await log.add(lineOf(1, changed))), /another entry 1 than the backup/);
    assert.match(String(await log.add(lineOf(3, changed))), /another entry 3 than a line before it/);
    assert.equal(await log.add(lineOf(3)), null);
  });

  test('of a log before the backup suspend nobody: that was long ago', async () => {
    const log = exportedLog('before');
    await log.add(lineOf(3));
    assert.deepEqual([log.end(null).told, log.isBefore], [[], true]);
  });
});
