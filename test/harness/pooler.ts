import { spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { Cleanup } from './authority.ts';
import type { PostgresAddress, PostgresCluster } from './postgres-cluster.ts';

/** PgBouncer in front of the cluster, which gives each transaction whatever connection is free. */
export async function transactionPooler(
  program: string,
  cleanup: Cleanup,
  cluster: PostgresCluster,
): Promise<PostgresAddress> {
  const { host, port, user } = cluster.address;
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-pooler-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  const settings = path.join(folder, 'pgbouncer.ini');
  await writeFile(
    settings,
    [
      '[databases]',
      `* = host=${host} port=${port} user=${user}`,
      '[pgbouncer]',
      'listen_addr =',
      `unix_socket_dir = ${folder}`,
      'listen_port = 6432',
      'auth_type = any',
      'pool_mode = transaction',
      'default_pool_size = 3',
      'max_client_conn = 100',
      `logfile = ${folder}/log`,
      `pidfile = ${folder}/pid`,
    ].join('\n'),
  );
  // It refuses to run as root.
  const { account } = cluster;
  if (account !== null) await chown(folder, account.uid, account.gid);
  await chmod(folder, 0o755);
  const pooler = spawn(program, ['--quiet', settings], { stdio: 'ignore', cwd: folder, ...account });
  const ended = new Promise((resolve) => pooler.once('exit', resolve));
  cleanup.after(async () => {
    pooler.kill('SIGTERM');
    await ended;
  });
  const address = { host: folder, port: 6432, user };
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ ...address, database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return address;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
