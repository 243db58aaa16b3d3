import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { before, describe, test } from 'node:test';
import pg from 'pg';
import { loadConfiguration } from '#config';
import { findClient } from '../clients.ts';
import {
  anyPorts,
  type AuthorityFiles,
  command,
  initAuthority,
  sallyport,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { losingAnswer } from '../harness/lost-answer.ts';
import { databaseOf, initForPostgres } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { backUp, loseDatabase, nameLog, restore, restored } from '../harness/restoring.ts';

const postgresql = findClient('postgresql');

/** What whoever fills a database holds meanwhile. */
const upgradeLock = 0x53616c6c79;

describe('what is broken off on its way to PostgreSQL', { skip: 'skip' in postgresql }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  before(async () => {
    assert.ok('path' in postgresql);
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
  });

  const loses = async (
    files: AuthorityFiles,
    afterwards: 'there' | 'gone',
    work: () => Promise<{ code: number | null; stderr: string }>,
  ) => {
    const direct = await readFile(files.configuration, 'utf8');
    // The first commit is that of the tables.
    const proxy = await losingAnswer(cleanup, cluster, { commit: 2, afterwards });
    await writeFile(files.configuration, direct.replace(cluster.address.host, proxy));
    const done = await work();
    await writeFile(files.configuration, direct);
    return done;
  };

  describe('a restore', () => {
    let files: AuthorityFiles;
    let backup: string;
    let checkpoint: string;
    before(async () => {
      files = await initAuthority(cleanup, anyPorts);
      backup = await backUp(files, path.join(files.directory, '..', 'backup.db'));
      // Published after the backup, so that the checkpoint says more than the backup does.
      await (await serveAuthority(files, {}, { quiet: true })).stop();
      checkpoint = loadConfiguration(files.configuration, process.env).log.checkpointFile;
      await loseDatabase(files, cluster);
    });

    test('that was killed while it copied is begun anew, with the checkpoint that was published', async () => {
      const published = await readFile(checkpoint, 'utf8');
      const { host, port, user } = cluster.address;
      const holder = new pg.Client({ host, port, user, database: await databaseOf(files) });
      await holder.connect();
      // Keeps the copy waiting, as ten million rows would.
      await holder.query(`begin; select pg_advisory_xact_lock(${upgradeLock})`);
      const words = ['restore', '--from', backup, '--config', files.configuration];
      const killed = spawn(command, words, { stdio: 'ignore', detached: true });
      for (let at = 0; at < 400 && !existsSync(`${checkpoint}.restoring`); at += 1) await sleep(25);
      process.kill(-killed.pid!, 'SIGKILL');
      await holder.query('rollback');
      await holder.end();

      const data = path.join(files.directory, 'data');
      assert.ok((await readdir(data)).some((name) => name.startsWith('.restore-')));
      assert.equal(await readFile(checkpoint, 'utf8'), published);
      const { beyond } = await restored(files, '--from', backup, '--check');
      assert.ok(beyond > 0);
    });

    test('whose commit was not answered is finished by the next one, which tells the name', async () => {
      const first = await loses(files, 'gone', () => restore(files, '--from', backup));
      assert.equal(first.code, 4);
      assert.match(first.stderr, /whether it has it is not known/);
      assert.deepEqual(
        (await readdir(path.join(files.directory, 'data'))).filter((name) => name.startsWith('.')),
        [],
      );
      const other = await initAuthority(cleanup, anyPorts);
      const foreign = await backUp(other, path.join(other.directory, '..', 'other.db'));
      assert.equal((await restore(files, '--from', foreign)).code, 5);
      const { origin, keptCheckpoint } = await restored(files, '--from', backup);
      assert.ok((await stat(keptCheckpoint!)).isFile());
      await nameLog(files, origin);
      await (await serveAuthority(files, {}, { quiet: true })).stop();
      const again = await restore(files, '--from', backup);
      assert.equal(again.code, 1, 'it was finished once');
    });
  });

  describe('a migration', () => {
    test('whose commit was not answered asks whether it was done', async () => {
      const files = await initForPostgres(cleanup, cluster);
      const migrate = () => sallyport('migrate', '--config', files.configuration);
      const { code, stderr } = await loses(files, 'there', migrate);
      assert.equal(code, 0, stderr);
    });

    test('whose commit was not answered is gone on with by the next one', async () => {
      const files = await initForPostgres(cleanup, cluster);
      const migrate = () => sallyport('migrate', '--config', files.configuration);
      assert.equal((await loses(files, 'gone', migrate)).code, 4);
      const { code, stderr, stdout } = await migrate();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Moved/);
      assert.deepEqual(
        (await readdir(path.join(files.directory, 'data'))).filter((name) => name.endsWith('.moved')),
        ['sallyport.db.moved'],
      );
    });

    test('does not write over what an earlier one put aside', async () => {
      const files = await initForPostgres(cleanup, cluster);
      const moved = path.join(files.directory, 'data/sallyport.db.moved');
      await writeFile(moved, 'earlier');
      const { code, stderr } = await sallyport('migrate', '--config', files.configuration);
      assert.equal(code, 3, stderr);
      assert.match(stderr, /sallyport\.db\.moved is there already/);
      assert.equal(await readFile(moved, 'utf8'), 'earlier');
    });
  });
});
