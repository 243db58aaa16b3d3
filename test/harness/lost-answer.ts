import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cleanup } from './authority.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

/**
 * Stands before a PostgreSQL: the commit with that number (from 1) is done, and its answer is lost with the connection. `afterwards` says whether
 * the server can be reached again. Returns the folder of its socket.
 */
export async function losingAnswer(
  cleanup: Cleanup,
  cluster: PostgresCluster,
  { commit, afterwards }: { readonly commit: number; readonly afterwards: 'there' | 'gone' },
): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-lost-'));
  const open = new Set<net.Socket>();
  let commits = 0;
  let isLost = false;
  const server = net.createServer((client) => {
    if (isLost && afterwards === 'gone') {
      client.destroy();
      return;
    }
    const upstream = net.connect(`${cluster.address.host}/.s.PGSQL.5432`);
    open.add(client).add(upstream);
    let losing = false;
    client.on('data', (bytes) => {
      if (bytes.includes('commit\0') && (commits += 1) === commit) losing = true;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!losing) client.write(bytes);
      else {
        isLost = true;
        client.destroy();
      }
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('close', () => to.end());
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(path.join(folder, '.s.PGSQL.5432'), resolve));
  cleanup.after(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
