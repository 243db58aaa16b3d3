import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SallyportError } from '#errors';
import type { Call, Reply } from '../thread/messages.ts';
import { Writer } from './writer.ts';
import {
  device,
  digest,
  entry,
  importDevices,
  intent,
  issuedRecord,
  newSecret,
  now,
  openSqliteStores,
  verifiedIds,
  wide,
} from '../storage.fixture.ts';

function calls(...asked: readonly Omit<Call, 'id' | 'askedAt'>[]): Call[] {
  return asked.map((call, id) => ({ id, ...call, askedAt: 0 }));
}

const record = (id: string) => ({ name: 'record', argument: { entry: entry(id) } }) as const;
const admit = { name: 'admit', argument: { sourceKey: 'a', limit: wide, now } } as const;
const readHead = { name: 'readHead', argument: null } as const;

function codes(replies: readonly Reply[]): string[] {
  return replies.map((reply) => ('fault' in reply ? reply.fault.code : 'done'));
}

suite('a batch', () => {
  test('shares one commit, and its answers come in order', (t) => {
    const { writer } = openSqliteStores(t);
    const replies = writer.perform(calls(...Array.from({ length: 40 }, (_, i) => record(`e${i}`))));
    assert.deepEqual(
      replies,
      Array.from({ length: 40 }, (_, i) => ({ id: i, value: { index: i } })),
    );
    assert.deepEqual(writer.stats, { operations: 40, batches: 1, commits: 1, failures: 0 });
  });

  test('reads what was written before in it', (t) => {
    const { writer } = openSqliteStores(t);
    const [, head] = writer.perform(calls(record('e0'), readHead));
    assert.equal(head !== undefined && 'value' in head && (head.value as { size: number }).size, 1);
  });

  test('of readings only commits nothing, and leaves no transaction', (t) => {
    const { writer } = openSqliteStores(t);
    writer.perform(calls(readHead, readHead));
    assert.equal(writer.stats.commits, 0);
    assert.equal(writer.waiting, false);
  });

  test('of lazy writes waits in the transaction for a durable one', (t) => {
    const { writer } = openSqliteStores(t);
    writer.perform(calls(admit));
    writer.perform(calls(readHead));
    assert.equal(writer.waiting, true);
    assert.equal(writer.stats.commits, 0);
    writer.perform(calls(record('e0')));
    assert.equal(writer.waiting, false);
    assert.equal(writer.stats.commits, 1);
  });

  test('of lazy writes waits for a flush otherwise', (t) => {
    const { writer } = openSqliteStores(t);
    writer.perform(calls(admit));
    writer.flush();
    writer.flush();
    assert.equal(writer.waiting, false);
    assert.equal(writer.stats.commits, 1);
  });
});

suite('an operation that fails in a batch', () => {
  test('before its first change undoes nothing else', async (t) => {
    const { writer, log } = openSqliteStores(t);
    const replies = writer.perform(
      calls(
        record('a'),
        { name: 'abandonIntent', argument: { id: 'unknown', now, entry: entry('sweep') } },
        record('b'),
      ),
    );
    assert.deepEqual(codes(replies), ['done', 'conflict', 'done']);
    assert.deepEqual(await verifiedIds(log), ['a', 'b']);
  });

  test('after a change undoes only itself, and the head of the log is right', async (t) => {
    const { writer, log, admin, enrollment } = openSqliteStores(t);
    await importDevices(admin, device('d1'));
    await admin.createSecret({ secret: newSecret('s1', 'd1'), entry: entry('create') });
    const wanted = intent('i1', 'd1', { secret: { id: 's1', state: 'live' } });
    await enrollment.reserve(wanted);
    await admin.voidSecret({ id: 's1', now, entry: entry('void') });
    writer.perform(calls(admit));
    const replies = writer.perform(
      calls(
        record('a'),
        // Fails where it spends the secret: the intent is taken, the entry appended and the certificate stored by then.
        { name: 'close', argument: issuedRecord(wanted) },
        record('b'),
        { name: 'reserve', argument: intent('i2', 'unknown device') },
        record('c'),
      ),
    );
    assert.deepEqual(codes(replies), ['done', 'conflict', 'done', 'not-found', 'done']);
    assert.deepEqual(await verifiedIds(log), ['import', 'create', 'void', 'a', 'b', 'c']);
    assert.deepEqual(await admin.certificates({ now, limit: 9 }), []);
    assert.deepEqual(
      (await admin.expiredIntents(now + 1e9, 9)).map(({ id }) => id),
      ['i1'],
    );
    const { tat } = await enrollment.admit(admit.argument);
    assert.notEqual(tat, null, 'the admission before the batch is not forgotten');
  });

  test('by a fault of ours says so', (t) => {
    const { writer } = openSqliteStores(t);
    assert.deepEqual(codes(writer.perform(calls({ name: 'device', argument: {} }, record('a')))), [
      'internal',
      'done',
    ]);
  });
});

suite('a transaction that fails as a whole', () => {
  test('when it cannot be committed: every operation of the batch fails, the next batch goes on from before', async (t) => {
    const stores = openSqliteStores(t);
    let commits = 0;
    const writer = new Writer({
      perform: (operation) => stores.connection.perform(operation),
      control: (sql) => {
        if (sql === 'commit' && ++commits === 2) throw new SallyportError('store', 'disk full');
        stores.connection.control(sql);
      },
      get changed() {
        return stores.connection.changed;
      },
      get inTransaction() {
        return stores.connection.inTransaction;
      },
    });
    assert.deepEqual(codes(writer.perform(calls(record('a')))), ['done']);
    assert.deepEqual(codes(writer.perform(calls(record('b'), readHead, record('c')))), [
      'store',
      'store',
      'store',
    ]);
    assert.deepEqual(writer.perform(calls(record('d'))), [{ id: 0, value: { index: 1 } }]);
    assert.deepEqual(await verifiedIds(stores.log), ['a', 'd']);
    assert.deepEqual(writer.stats, { operations: 5, batches: 3, commits: 2, failures: 1 });
  });

  test('when SQLite gives it up for one of them', async (t) => {
    const { writer, connection, log } = openSqliteStores(t);
    connection.execute(
      `create trigger fault before insert on log_entry when new.id = 'fault' begin select raise(rollback, 'fault'); end`,
    );
    assert.deepEqual(codes(writer.perform(calls(record('a'), record('fault'), record('b')))), [
      'store',
      'store',
      'store',
    ]);
    assert.deepEqual(codes(writer.perform(calls(record('c')))), ['done']);
    assert.deepEqual(await verifiedIds(log), ['c']);
  });

  test('when the database is full: what fits goes on', async (t) => {
    const { writer, connection, log } = openSqliteStores(t);
    connection.execute('pragma max_page_count = 80');
    const large = (id: string) =>
      ({ name: 'saveReferences', argument: { digest: digest(id), body: new Uint8Array(400_000) } }) as const;
    assert.deepEqual(codes(writer.perform(calls(large('x')))), ['store']);
    assert.deepEqual(codes(writer.perform(calls(record('a')))), ['done']);
    assert.deepEqual(await verifiedIds(log), ['a']);
  });
});
