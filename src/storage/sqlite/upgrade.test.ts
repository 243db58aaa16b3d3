import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import type { Kysely } from 'kysely';
import { isSallyportError } from '#errors';
import { type Migration, migrations } from '../migration.ts';
import { all, first } from '../operation.ts';
import { statement } from '../statement.ts';
import { Connection } from './connection.ts';
import { upgrade } from './upgrade.ts';
import { devicesOfVersion14, known, knownAfterwards } from '../endorsed-before.fixture.ts';
import { temporaryFile } from '../storage.fixture.ts';

type Context = Parameters<typeof temporaryFile>[0];

/** A database as the program of that version left it, with the rows below. */
function databaseOfVersion(t: Context, version: number): Connection {
  const connection = Connection.openWriter(temporaryFile(t));
  t.after(() => connection.close());
  upgrade(connection, migrations.slice(0, version));
  for (const [, sql] of rows.slice(0, version)) for (const each of sql) connection.execute(each);
  return connection;
}

/** By the version that brought their tables: rows that have to be there, as they were, after any upgrade. */
const rows: readonly [version: number, statements: readonly string[]][] = [
  [
    1,
    [
      `insert into device (id, serial_number, device_class, owner, state, identifiers, created_at, updated_at)
         values ('d1', 'SN1', 'laptop', null, 'active', '{"dnsName":"d1.example.com"}', 1, 2)`,
      `insert into secret (id, mac, mac_key_id, device_id, template, state, created_at, expires_at, created_by)
         values ('s1', x'01', 'k1', 'd1', 'device', 'live', 1, 9007199254740991, 'ada')`,
      `insert into rate_limit (key, tat) values ('source:a', 1.5)`,
      `insert into log_head (id, origin, size, hashes) values (1, 'test.example/log', 0, x'')`,
    ],
  ],
];

const acmeRows = [
  `delete from secret`,
  `insert into external_account_key (id, device_id, sealed, sealing_key, templates, state, created_at, expires_at, created_by)
     values ('k1', 'd1', x'01', 'm1', '["web"]', 'spent', 1, 2, 'ada')`,
  `insert into acme_account (id, external_account_key, thumbprint, jwk, spki, contact, status, created_at)
     values ('a1', 'k1', 't1', '{}', 's1', '[]', 'valid', 3)`,
  `insert into acme_order (id, account, template, identifiers, names, not_after, created_at, expires_at, spki)
     values ('o1', 'a1', 'web', '[]', 'n1', 9, 4, 5, 'ab')`,
  `insert into acme_authorization (id, account, template, type, value, wildcard, token, status, tries, expires_at, evidence)
     values ('z1', 'a1', 'web', 'dns', 'www.example.org', 0, 'token', 'pending', 3, 6, '{}')`,
  `insert into acme_order_authorization (order_id, position, authorization_id) values ('o1', 0, 'z1')`,
];

/** SHA-256 of the statements of each migration that was released. */
const released: readonly string[] = ['c55d5875fc8d14b6ef3e8d3fc5cec47a990c55237b7ea1abc7c3b52dfbec0112'];

interface SqliteSchema {
  readonly sqlite_schema: { readonly type: string; readonly name: string; readonly sql: string | null };
}

const selectTables = statement((database) =>
  (database as never as Kysely<SqliteSchema>)
    .selectFrom('sqlite_schema')
    .select(['type', 'name', 'sql'])
    .orderBy('name'),
);

const selectDevices = statement((database) => database.selectFrom('device').selectAll());
const selectSecrets = statement((database) => database.selectFrom('secret').selectAll());
const selectRates = statement((database) => database.selectFrom('rate_limit').selectAll());
const selectAccounts = statement((database) => database.selectFrom('acme_account').selectAll());
const selectOrders = statement((database) => database.selectFrom('acme_order').selectAll());
const selectAuthorizations = statement((database) => database.selectFrom('acme_authorization').selectAll());
const selectLinks = statement((database) => database.selectFrom('acme_order_authorization').selectAll());
const selectHead = statement((database) => database.selectFrom('log_head').selectAll());
const selectVersions = statement((database) =>
  database.selectFrom('migration').selectAll().orderBy('version'),
);

const owner: Migration = {
  version: migrations.length + 1,
  name: 'cost-centre',
  statements: [
    'alter table device add column cost_centre text',
    `update device set cost_centre = 'none'`,
    'create index device_cost_centre on device (cost_centre)',
  ],
};

suite('migrations', () => {
  test('are numbered by their place', () => {
    assert.deepEqual(
      migrations.map(({ version }) => version),
      migrations.map((_, at) => at + 1),
    );
  });

  test('that were released have not changed', () => {
    const digests = migrations.map(({ statements }) =>
      createHash('sha256').update(JSON.stringify(statements)).digest('hex'),
    );
    assert.deepEqual(digests.slice(0, released.length), released);
  });
});

suite('opening a database', () => {
  for (const { version } of migrations) {
    test(`of version ${version} upgrades it to what a new one is, and keeps its rows`, (t) => {
      const upgraded = databaseOfVersion(t, version);
      upgrade(upgraded);
      const fresh = databaseOfVersion(t, migrations.length);
      assert.deepEqual(upgraded.perform(all(selectTables, {})), fresh.perform(all(selectTables, {})));
      const device = upgraded.perform(first(selectDevices, {}));
      assert.deepEqual([device?.id, device?.serial_number, device?.state], ['d1', 'SN1', 'active']);
      const secret = upgraded.perform(first(selectSecrets, {}));
      assert.deepEqual([secret?.mac, secret?.expires_at], [new Uint8Array([1]), Number.MAX_SAFE_INTEGER]);
      assert.equal(upgraded.perform(first(selectRates, {}))?.tat, 1.5);
      const head = upgraded.perform(first(selectHead, {}));
      assert.deepEqual([head?.origin, head?.number], ['test.example/log', 0]);
    });

    test(`of version ${version} takes what comes after the newest`, (t) => {
      const connection = databaseOfVersion(t, version);
      upgrade(connection, [...migrations, owner]);
      const device = connection.perform(first(selectDevices, {}));
      assert.equal(device !== undefined && 'cost_centre' in device && device.cost_centre, 'none');
      assert.deepEqual(
        connection.perform(all(selectVersions, {})).map(({ version, name }) => `${version} ${name}`),
        [...migrations, owner].map(({ version, name }) => `${version} ${name}`),
      );
    });
  }

  test('of version 14 keeps accounts with all that is theirs, and whose they are', (t) => {
    const connection = databaseOfVersion(t, 14);
    for (const each of acmeRows) connection.execute(each);
    upgrade(connection);
    const account = connection.perform(first(selectAccounts, {}));
    assert.deepEqual([account?.id, account?.external_account_key, account?.device_id], ['a1', 'k1', 'd1']);
    const [order] = connection.perform(all(selectOrders, {}));
    assert.deepEqual([order?.id, order?.account, order?.not_after, order?.spki], ['o1', 'a1', 9, 'ab']);
    const [authorization] = connection.perform(all(selectAuthorizations, {}));
    assert.deepEqual([authorization?.id, authorization?.evidence, authorization?.tries], ['z1', '{}', 3]);
    assert.equal(connection.perform(all(selectLinks, {})).length, 1);
    // And it goes with its device, as before.
    connection.execute(`delete from device where id = 'd1'`);
    assert.deepEqual(connection.perform(all(selectAccounts, {})), []);
    assert.deepEqual(connection.perform(all(selectOrders, {})), []);
    assert.deepEqual(connection.perform(all(selectAuthorizations, {})), []);
    assert.deepEqual(connection.perform(all(selectLinks, {})), []);
  });

  test('of version 14 makes devices known by the endorsement keys that they were imported with, but for what several have', (t) => {
    const connection = Connection.openWriter(temporaryFile(t));
    t.after(() => connection.close());
    upgrade(connection, migrations.slice(0, 14));
    for (const sql of devicesOfVersion14) connection.execute(sql);
    upgrade(connection);
    assert.deepEqual(connection.perform(known()), knownAfterwards);
  });

  test('of the newest version changes nothing', (t) => {
    const connection = databaseOfVersion(t, migrations.length);
    upgrade(connection);
    assert.equal(connection.perform(all(selectVersions, {})).length, migrations.length);
  });

  test('of a newer program is refused', (t) => {
    const connection = databaseOfVersion(t, migrations.length);
    upgrade(connection, [...migrations, owner]);
    assert.throws(
      () => upgrade(connection),
      (error) => isSallyportError(error, 'store') && error.message.includes('newer'),
    );
  });

  test('leaves it as it was when a migration fails', (t) => {
    const connection = databaseOfVersion(t, migrations.length);
    const before = connection.perform(all(selectTables, {}));
    const broken = { ...owner, statements: [...owner.statements, 'insert into nowhere values (1)'] };
    assert.throws(
      () => upgrade(connection, [...migrations, broken]),
      (error) => isSallyportError(error, 'store'),
    );
    assert.deepEqual(connection.perform(all(selectTables, {})), before);
    assert.equal(connection.perform(all(selectVersions, {})).length, migrations.length);
    upgrade(connection, [...migrations, owner]);
  });
});
