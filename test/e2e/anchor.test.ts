import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import {
  type AuthorityFiles,
  sallyport,
  sallyportHere,
  serveAuthority,
  withSharedAnchor,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { anotherNode, databaseOf, postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

/** What nodes keep outside the database stands against a database that was put back, or is another one. */
describe('nodes with an anchor', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let files: AuthorityFiles;
  let other: AuthorityFiles;
  let anchor: string;
  /** A copy of the database as it was in the beginning. */
  let older: string;
  const checkpointOf = ({ directory }: AuthorityFiles) => path.join(directory, 'log/checkpoint');
  before(async () => {
    if (!('path' in postgresql)) return;
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    files = await postgresAuthority(cleanup, cluster, withSharedAnchor);
    anchor = path.join(files.directory, '../shared');
    other = await anotherNode(files, 'node-2');
    await rm(checkpointOf(other));
    older = await cluster.createDatabase(await databaseOf(files));
    await copyFile(checkpointOf(files), path.join(files.directory, '../first.checkpoint'));
  });

  async function refusal({ configuration }: AuthorityFiles, code: number): Promise<string> {
    const ended = await sallyportHere('serve', '--json', '--config', configuration);
    assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr);
    return ended.stderr;
  }

  async function withDatabase(of: AuthorityFiles, name: string, work: () => Promise<void>): Promise<void> {
    const yaml = await readFile(of.configuration, 'utf8');
    await writeFile(of.configuration, yaml.replace(await databaseOf(of), name));
    await work();
    await writeFile(of.configuration, yaml);
  }

  test('start only where it is, and begin it where an operator did', async () => {
    assert.match(await refusal(files, 4), /the anchor .*shared cannot be read/);
    await mkdir(anchor);
    assert.match(await refusal(files, 4), /holds no checkpoint: .* copy the file log.checkpointFile/);
    await copyFile(checkpointOf(files), path.join(anchor, 'node-1.checkpoint'));
  });

  test('need no checkpoint of their own, and serve no database that lacks what another published', async () => {
    const one = await serveAuthority(files);
    cleanup.after(() => one.stop('SIGKILL'));
    await TestDevice.enrolled(one, 'laptop-1');
    await one.stop();
    await withDatabase(other, older, async () => {
      assert.match(await refusal(other, 5), /this is an older copy/);
    });
    await withDatabase(other, await cluster.createDatabase(), async () => {
      assert.match(await refusal(other, 5), /holds no log/);
    });
    const two = await serveAuthority(other);
    cleanup.after(() => two.stop('SIGKILL'));
    await two.stop();
    assert.match(await readFile(path.join(anchor, 'node-2.checkpoint'), 'utf8'), /\n— /);
  });

  test('back up no database that lacks what another published', async () => {
    await withDatabase(other, older, async () => {
      const backup = [
        'backup',
        '--to',
        path.join(other.directory, 'older.db'),
        '--config',
        other.configuration,
      ];
      await rm(checkpointOf(other), { force: true });
      await copyFile(path.join(files.directory, '../first.checkpoint'), checkpointOf(other));
      const { code, stderr } = await sallyportHere(...backup);
      assert.equal(code, 5, stderr);
      assert.match(stderr, /this is an older copy/);
    });
  });

  test('say of such a database that it does not verify', async () => {
    await withDatabase(other, older, async () => {
      await rm(checkpointOf(other), { force: true });
      await copyFile(path.join(files.directory, '../first.checkpoint'), checkpointOf(other));
      const { code, stdout } = await sallyportHere(
        'log',
        'verify',
        '--json',
        '--config',
        other.configuration,
      );
      assert.equal(code, 5, stdout);
      const { findings } = JSON.parse(stdout) as { findings: { message: string }[] };
      const messages = findings.map(({ message }) => message);
      assert.ok(
        messages.some((each) => each.startsWith('a checkpoint of the anchor: ')),
        messages.join('\n'),
      );
    });
  });

  test('end where an older state is put in place of the database under them, and sign nothing of it', async () => {
    const node = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => node.stop('SIGKILL'));
    await TestDevice.enrolled(node, 'laptop-2');
    const ended = new Promise<number | null>((resolve) => node.process.once('exit', resolve));
    const database = await databaseOf(files);
    await cluster.query(`alter database ${database} allow_connections false`);
    await cluster.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
    );
    const published = await readFile(checkpointOf(files), 'utf8');
    await cluster.query(`alter database ${database} rename to put_aside`);
    await cluster.query(`alter database ${older} rename to ${database}`);
    assert.equal(await ended, 1);
    await node.said(/were published: this is an older copy of it/);
    assert.equal(await readFile(checkpointOf(files), 'utf8'), published);
    assert.match(await refusal(files, 5), /this is an older copy/);
    const { code } = await sallyport('log', 'verify', '--config', files.configuration);
    assert.equal(code, 5);
  });
});
