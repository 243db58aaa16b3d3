import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { openLog } from '../operations/log.ts';
import { entry, openSqliteStores, origin, verifiedIds } from '../storage.fixture.ts';

suite('the log', () => {
  test('is not appended to under a head that another writer moved', async (t) => {
    const { connection, enrollment, log } = openSqliteStores(t);
    await enrollment.record(entry('e0'));
    await enrollment.record(entry('e1'));
    connection.execute(
      'create trigger behind before insert on log_entry begin update log_head set size = 9; end',
    );
    await assert.rejects(enrollment.record(entry('lost')), (error) => isSallyportError(error, 'store'));
    assert.deepEqual(await verifiedIds(log), ['e0', 'e1']);
  });

  test('of another origin is not opened', (t) => {
    const { connection } = openSqliteStores(t);
    assert.throws(
      () => connection.perform(openLog({ origin: 'other.example/log' })),
      (error) => isSallyportError(error, 'config') && error.message.includes(origin),
    );
    connection.perform(openLog({ origin }));
  });
});
