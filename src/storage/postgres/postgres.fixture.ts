import type { TestContext } from 'node:test';
import { SallyportError } from '#errors';
import type { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { beginLog } from '../operations/log.ts';
import { origin, type Stores } from '../storage.fixture.ts';
import { countedMilliseconds } from '../thread/messages.ts';
import { acmeStore, adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
import { PreparedStatements, Sessions } from './session.ts';
import { upgrade } from './upgrade.ts';

export async function freshDatabase(
  cluster: PostgresCluster,
  copied?: string,
): Promise<PostgresStoreOptions> {
  const database = await cluster.createDatabase(copied);
  const common = { password: undefined, tls: null, preparedStatements: true, connections: 4, origin };
  return { ...cluster.address, ...common, database };
}

/** A database with the newest schema, to be copied. */
export async function upgradedDatabase(cluster: PostgresCluster): Promise<string> {
  const options = await freshDatabase(cluster);
  const sessions = new Sessions(options, 1, new PreparedStatements(options));
  await sessions.with(async (session) => {
    await upgrade(session, null);
    await session.perform(beginLog(options));
  });
  await sessions.close();
  return options.database;
}

/** A database of its own, its store in this thread. What is asked first waits until it is open. */
export function postgresStores(
  t: Pick<TestContext, 'after'>,
  cluster: PostgresCluster,
  copied: string,
): Stores {
  const options = freshDatabase(cluster, copied);
  const stores = storesOf(t, options);
  dropAfter(t, cluster, options);
  return stores;
}

/** Two over one database, as nodes have it. */
export function postgresNodes(
  t: Pick<TestContext, 'after'>,
  cluster: PostgresCluster,
  copied: string,
): readonly [Stores, Stores] {
  const options = freshDatabase(cluster, copied);
  const nodes = [storesOf(t, options), storesOf(t, options)] as const;
  dropAfter(t, cluster, options);
  return nodes;
}

function dropAfter(
  t: Pick<TestContext, 'after'>,
  cluster: PostgresCluster,
  options: Promise<PostgresStoreOptions>,
): void {
  t.after(async () => cluster.query(`drop database ${(await options).database}`));
}

function storesOf(t: Pick<TestContext, 'after'>, options: Promise<PostgresStoreOptions>): Stores {
  const opened = options.then((found) => PostgresStore.open(found));
  const sessions = options.then((found) => new Sessions(found, 1, new PreparedStatements(found)));
  t.after(async () => {
    await (await opened).close();
    await (await sessions).close();
  });
  let asked = 0;
  const perform: Perform = async (name, argument) => {
    const store = await opened;
    asked += 1;
    const call = { id: asked, name, argument, askedAt: countedMilliseconds() };
    const [reply] = await new Promise<Parameters<Parameters<typeof store.perform>[1]>[0]>((resolve) =>
      store.perform([call], resolve),
    );
    if (reply === undefined) throw new Error('no reply');
    if ('fault' in reply) throw new SallyportError(reply.fault.code, reply.fault.message);
    return structuredClone(reply.value) as never;
  };
  return {
    enrollment: enrollmentStore(perform),
    acme: acmeStore(perform),
    admin: adminStore(perform),
    log: logStore(perform),
    query: async (operation) => {
      await opened;
      return (await sessions).with((session) => session.perform(operation));
    },
  };
}
