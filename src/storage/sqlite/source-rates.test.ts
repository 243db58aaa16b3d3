import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { now, temporaryFile, origin } from '../storage.fixture.ts';
import { createSqlite } from './create-sqlite.ts';
import { openSqlite } from './open-sqlite.ts';

const two = { burst: 2, count: 1, periodSeconds: 60 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

suite('the rates of sources', () => {
  test('count at once, and those of before count after the next start', async (t) => {
    const file = temporaryFile(t);
    const first = await createSqlite({ file, origin });
    const query = { sourceKey: '192.0.2.1', limit: two, now };
    assert.deepEqual(await first.enrollment.admit(query), { tat: null });
    const { tat } = await first.enrollment.admit(query);
    assert.equal(tat, now + 60_000);
    await first.close();
    const second = await openSqlite({ file, origin });
    t.after(() => second.close());
    assert.deepEqual(await second.enrollment.admit(query), { tat: now + 120_000 });
    assert.deepEqual(await second.enrollment.admit({ ...query, sourceKey: '192.0.2.2' }), { tat: null });
  });

  test('of many sources are forgotten when they are idle', async (t) => {
    const storage = await createSqlite({ file: temporaryFile(t), origin });
    t.after(() => storage.close());
    const before = heapInUse();
    for (let i = 0; i < 200_000; i += 1) {
      await storage.enrollment.admit({ sourceKey: `source ${i}`, limit: two, now: now + i * 1000 });
    }
    assert.ok(heapInUse() - before < 64 * 1024 * 1024);
  });
});
