import { findClient } from '../../clients.ts';
import type { Cleanup } from '../../harness/authority.ts';
import { PostgresCluster } from '../../harness/postgres-cluster.ts';

export function postgresObstacle(): string | null {
  const found = findClient('postgresql');
  return 'skip' in found ? found.skip : null;
}

/** One whose commits are on disk. */
export async function openCluster(cleanup: Cleanup): Promise<PostgresCluster> {
  const found = findClient('postgresql');
  if ('skip' in found) throw new Error(found.skip);
  return PostgresCluster.start(found.path, cleanup, { durable: true });
}
