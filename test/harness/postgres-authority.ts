import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import {
  anyPorts,
  type AuthorityFiles,
  type Cleanup,
  initAuthority,
  sallyport,
  type ServedAuthority,
  serveAuthority,
} from './authority.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

interface Settings {
  database?: unknown;
}

/** `sallyport init`, and then its configuration names a new database of the cluster: nothing is in it yet. */
export async function initForPostgres(
  cleanup: Cleanup,
  cluster: PostgresCluster,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<AuthorityFiles> {
  const database = await cluster.createDatabase();
  return initAuthority(cleanup, (yaml) => {
    const settings = parse(edit(anyPorts(yaml))) as Settings;
    const { host, port, user } = cluster.address;
    settings.database = { postgres: { node: 'node-1', host, port, database, user } };
    return stringify(settings, { aliasDuplicateObjects: false });
  });
}

/** Moved to PostgreSQL by `sallyport migrate`. */
export async function postgresAuthority(
  cleanup: Cleanup,
  cluster: PostgresCluster,
  edit?: (yaml: string) => string,
): Promise<AuthorityFiles> {
  const files = await initForPostgres(cleanup, cluster, edit);
  await migrate(files);
  return files;
}

/** The name of its database in the cluster. */
export async function databaseOf({ configuration }: AuthorityFiles): Promise<string> {
  const { database } = parse(await readFile(configuration, 'utf8')) as {
    database: { postgres: { database: string } };
  };
  return database.postgres.database;
}

export async function migrate({ configuration }: AuthorityFiles): Promise<void> {
  const { code, stderr, stdout } = await sallyport('migrate', '--config', configuration);
  if (code !== 0) throw new Error(`migrate: ${stdout}${stderr}`);
}

/** The same authority on another machine: keys and configuration are copied, and the node has a name of its own. */
export async function anotherNode(files: AuthorityFiles, name: string): Promise<AuthorityFiles> {
  const directory = `${files.directory}-${name}`;
  await cp(files.directory, directory, { recursive: true, filter: (source) => !source.endsWith('.sock') });
  const configuration = path.join(directory, 'sallyport.yaml');
  const yaml = await readFile(configuration, 'utf8');
  await writeFile(configuration, yaml.replace('node: node-1', `node: ${name}`));
  return { directory, configuration, trust: path.join(directory, 'pki/trust.pem') };
}

/** Two nodes that serve, over a database of their own. */
export async function twoNodes(
  cleanup: Cleanup,
  cluster: PostgresCluster,
): Promise<readonly [one: ServedAuthority, two: ServedAuthority]> {
  const files = await postgresAuthority(cleanup, cluster);
  const one = await serveAuthority(files);
  cleanup.after(() => one.stop());
  const two = await serveAuthority(await anotherNode(files, 'node-2'));
  cleanup.after(() => two.stop());
  return [one, two];
}
