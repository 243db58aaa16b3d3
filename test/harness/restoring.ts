import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { type AuthorityFiles, sallyportHere } from './authority.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

interface Settings {
  database?: unknown;
  log: { origin: string };
}

export interface RestoreReport {
  readonly ok: boolean;
  readonly origin: string;
  readonly backup: { readonly origin: string; readonly size: number };
  readonly beyond: number;
  readonly later: readonly { readonly origin: string; readonly isWhole: boolean }[];
  readonly siemExport: {
    readonly entries: number;
    readonly proven: number;
    readonly unproven: number;
    readonly missing: number;
  } | null;
  readonly restored: Readonly<Record<string, number>>;
  readonly keptCheckpoint: string | null;
  readonly findings: readonly { readonly message: string }[];
}

/** An authority whose database was lost: a new PostgreSQL of the cluster, or no file. */
export async function loseDatabase(
  { directory, configuration }: AuthorityFiles,
  cluster: PostgresCluster | null,
): Promise<void> {
  await rm(path.join(directory, 'data'), { recursive: true, force: true });
  const settings = parse(await readFile(configuration, 'utf8')) as Settings;
  if (cluster === null) delete settings.database;
  else {
    const { host, port, user } = cluster.address;
    const database = await cluster.createDatabase();
    settings.database = { postgres: { node: 'node-1', host, port, database, user } };
  }
  await writeFile(configuration, stringify(settings, { aliasDuplicateObjects: false }));
}

/** What the operator does when `restore` has told the name of the new log. */
export async function nameLog({ configuration }: AuthorityFiles, origin: string): Promise<void> {
  const settings = parse(await readFile(configuration, 'utf8')) as Settings;
  settings.log.origin = origin;
  await writeFile(configuration, stringify(settings, { aliasDuplicateObjects: false }));
}

export async function backUp({ configuration }: AuthorityFiles, to: string): Promise<string> {
  const { code, stdout, stderr } = await sallyportHere(
    'backup',
    '--to',
    to,
    '--json',
    '--config',
    configuration,
  );
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { file: string }).file;
}

/** The exit code, what was reported and what was said. */
export async function restore(
  { configuration }: AuthorityFiles,
  ...words: string[]
): Promise<{ readonly code: number; readonly report: RestoreReport | null; readonly stderr: string }> {
  const { code, stdout, stderr } = await sallyportHere(
    'restore',
    ...words,
    '--json',
    '--config',
    configuration,
  );
  return { code, stderr, report: stdout === '' ? null : (JSON.parse(stdout) as RestoreReport) };
}

export async function restored(files: AuthorityFiles, ...words: string[]): Promise<RestoreReport> {
  const { code, report, stderr } = await restore(files, ...words);
  assert.equal(code, 0, stderr + JSON.stringify(report));
  return report!;
}
