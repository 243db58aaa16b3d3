import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import {
  type AuthorityFiles,
  sallyportHere,
  serveAuthority,
  withSharedAnchor,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { losingAnswer } from '../harness/lost-answer.ts';
import { anotherNode, databaseOf, postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { backUp, loseDatabase, nameLog, restore, restored } from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

/** What the nodes kept outside is heeded by a restore, and nobody exchanges it by hand. */
describe(
  'nodes with an anchor whose database was restored',
  {
    skip: 'skip' in postgresql ? postgresql.skip : false,
  },
  () => {
    const cleanup = suiteCleanup();
    let cluster: PostgresCluster;
    let files: AuthorityFiles;
    let other: AuthorityFiles;
    let anchor: string;
    let backup: string;
    let lost: string;
    const checkpointOf = ({ directory }: AuthorityFiles) => path.join(directory, 'log/checkpoint');
    const sizeOf = async (file: string) => Number((await readFile(file, 'utf8')).split('\n')[1]);
    const originOf = async (file: string) => (await readFile(file, 'utf8')).split('\n')[0];
    const loseAll = async () => {
      const database = await databaseOf(files);
      await loseDatabase(files, cluster);
      const yaml = await readFile(other.configuration, 'utf8');
      await writeFile(other.configuration, yaml.replace(database, await databaseOf(files)));
    };
    const serveOnce = async (
      node: AuthorityFiles,
      work?: (served: Parameters<typeof TestDevice.enrolled>[0]) => Promise<unknown>,
    ) => {
      const served = await serveAuthority(node, {}, { quiet: true });
      cleanup.after(() => served.stop('SIGKILL'));
      await work?.(served);
      await served.stop();
    };

    before(async () => {
      if (!('path' in postgresql)) return;
      cluster = await PostgresCluster.start(postgresql.path, cleanup);
      files = await postgresAuthority(cleanup, cluster, withSharedAnchor);
      anchor = path.join(files.directory, '../shared');
      await mkdir(anchor);
      await copyFile(checkpointOf(files), path.join(anchor, 'node-1.checkpoint'));
      other = await anotherNode(files, 'node-2');
      await serveOnce(files, (served) => TestDevice.enrolled(served, 'laptop-1'));
      backup = await backUp(files, path.join(files.directory, '../backup.db'));
      await serveOnce(files);
      // What only the other node published.
      await serveOnce(other, (served) => TestDevice.enrolled(served, 'laptop-2'));
      lost = (await originOf(checkpointOf(other)))!;
      await loseAll();
    });

    test('a restore reads it, and needs it', async () => {
      const manifest = JSON.parse(await readFile(`${backup}.json`, 'utf8')) as { size: number };
      const published = await sizeOf(checkpointOf(other));
      assert.ok(published > (await sizeOf(checkpointOf(files))));
      const { beyond } = await restored(files, '--from', backup, '--check');
      assert.equal(beyond, published - manifest.size);
      const aside = `${anchor}-aside`;

      await rename(anchor, aside);
      assert.match((await restore(files, '--from', backup)).stderr, /the anchor .*shared cannot be read/);
      await mkdir(anchor);
      const { code, stderr } = await restore(files, '--from', backup);
      assert.deepEqual(
        [code, /holds no checkpoint: see that its storage is there/.test(stderr)],
        [4, true],
        stderr,
      );
      await rm(anchor, { recursive: true });
      await rename(aside, anchor);
      const stranger = path.join(anchor, 'node-3.checkpoint');
      await writeFile(
        stranger,
        (await readFile(checkpointOf(other), 'utf8')).replace(`\n${published}\n`, `\n${published + 1}\n`),
      );
      const forged = await restore(files, '--from', backup);
      assert.deepEqual(
        [forged.code, /node-3\.checkpoint is refused/.test(forged.stderr)],
        [5, true],
        forged.stderr,
      );
      await rm(stranger);
    });

    test('writes the new log there; what ended before that is finished by the next restore', async () => {
      const direct = await readFile(files.configuration, 'utf8');
      const proxy = await losingAnswer(cleanup, cluster, { commit: 2, afterwards: 'gone' });
      await writeFile(files.configuration, direct.replace(cluster.address.host, proxy));
      assert.equal((await restore(files, '--from', backup)).code, 4);
      await writeFile(files.configuration, direct);
      assert.equal(await originOf(path.join(anchor, 'node-1.checkpoint')), lost);
      const { origin } = await restored(files, '--from', backup);
      assert.equal(await originOf(path.join(anchor, 'node-1.checkpoint')), origin);
      const names = (await readdir(anchor)).map((name) => name.replace(/\.\d+$/, '')).toSorted();
      const keptOf = (node: string) => `${node}.checkpoint.${lost.replaceAll('/', '_')}`;
      assert.deepEqual(names, ['node-1.checkpoint', keptOf('node-1'), keptOf('node-2')]);
      await nameLog(files, origin);
      await nameLog(other, origin);
    });

    test('every node starts with the file that it had, and keeps it beside', async () => {
      const own = await readFile(checkpointOf(other), 'utf8');
      await serveOnce(files, (served) => TestDevice.enrolled(served, 'laptop-3'));
      await serveOnce(other, (served) => TestDevice.enrolled(served, 'laptop-4'));
      const folder = path.dirname(checkpointOf(other));
      const kept = (await readdir(folder)).filter((name) => name.startsWith('checkpoint.'));
      assert.deepEqual(await Promise.all(kept.map((name) => readFile(path.join(folder, name), 'utf8'))), [
        own,
      ]);
      assert.match((await originOf(checkpointOf(other)))!, /restored-/);
      const { code, stdout } = await sallyportHere(
        'log',
        'verify',
        '--json',
        '--config',
        other.configuration,
      );
      assert.equal(code, 0, stdout);
    });

    test('a log that only another node published after it has to be given up by name', async () => {
      await rm(checkpointOf(files));
      await rm(path.join(anchor, 'node-1.checkpoint'));
      const between = (await originOf(checkpointOf(other)))!;
      await loseAll();
      const { code, stderr } = await restore(files, '--from', backup);
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(`older than the log ${between}`), stderr);
      const { origin } = await restored(files, '--from', backup, '--forget', between);
      await nameLog(files, origin);
      await nameLog(other, origin);
      await serveOnce(other);
      await serveOnce(files);
    });

    test('a node that shows what no restore knew of does not start', async () => {
      const folder = path.dirname(checkpointOf(other));
      const kept = (await readdir(folder)).find((name) => /restored-.*\.\d+$/.test(name))!;
      const note = await readFile(path.join(folder, kept), 'utf8');
      // Signed by nobody: as if it were of a head that the restore did not see.
      await writeFile(checkpointOf(other), note.replace(/\n\d+\n/, '\n3\n'));
      const { code, stderr } = await sallyportHere('serve', '--json', '--config', other.configuration);
      assert.equal(code, 5, stderr);
      assert.match(stderr, /is of a log that a restore ended, .* does not account for it/);
    });
  },
);
