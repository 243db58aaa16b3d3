import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { type Client, findClient } from '../clients.ts';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyport,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { TestDevice } from '../harness/test-device.ts';

const deviceCount = 100;
const workers = 8;

backups('SQLite', null, (cleanup) => initAuthority(cleanup, anyPorts));
backups('PostgreSQL', 'postgresql', async (cleanup, programs) =>
  postgresAuthority(cleanup, await PostgresCluster.start(programs, cleanup)),
);

type Cleanup = ReturnType<typeof suiteCleanup>;

function backups(
  kind: string,
  client: Client | null,
  start: (cleanup: Cleanup, programs: string) => Promise<AuthorityFiles>,
): void {
  const found = client === null ? { path: '' } : findClient(client);
  describe(`a backup of an authority on ${kind}`, { skip: 'skip' in found ? found.skip : false }, () => {
    const cleanup = suiteCleanup();
    let served: ServedAuthority;
    let folder: string;
    before(async () => {
      if ('skip' in found) return;
      served = await serveAuthority(await start(cleanup, found.path));
      cleanup.after(() => served.stop());
      folder = path.join(served.directory, '..', 'backups');
      await mkdir(folder);
    });

    const backup = (to: string) =>
      sallyport('backup', '--to', to, '--json', '--config', served.configuration);

    test('is taken while 8 workers enroll: it is of one moment, whole, and nobody waits for it', async (t) => {
      const devices: TestDevice[] = [];
      for (let number = 0; number < deviceCount; number += 1) {
        devices.push(await TestDevice.expected(served, `laptop-${number}`));
      }
      const waiting = [...devices];
      const slowest: number[] = [];
      const enroll = async () => {
        for (let device = waiting.shift(); device !== undefined; device = waiting.shift()) {
          const began = performance.now();
          const { status, text } = await device.enroll();
          assert.equal(status, 200, text);
          slowest.push(performance.now() - began);
        }
      };
      const enrolling = Promise.all(Array.from({ length: workers }, enroll));
      const files: string[] = [];
      while (waiting.length > 0) {
        const { code, stdout, stderr } = await backup(path.join(folder, `busy-${files.length}.db`));
        assert.equal(code, 0, stderr);
        files.push((JSON.parse(stdout) as { file: string }).file);
      }
      await enrolling;
      t.diagnostic(`${files.length} backups, slowest enrollment ${Math.round(Math.max(...slowest))} ms`);
      assert.ok(Math.max(...slowest) < 10_000);
      for (const file of files) assertOfOneMoment(file, await manifestOf(file));
    });

    test('says in its manifest what it is, and who may read it is its owner', async () => {
      const { code, stdout, stderr } = await backup(folder);
      assert.equal(code, 0, stderr);
      const { file } = JSON.parse(stdout) as { file: string };
      assert.match(path.basename(file), /^sallyport-\d{8}T\d{6}Z\.db$/);
      const manifest = await manifestOf(file);
      const bytes = await readFile(file);
      assert.deepEqual(manifest.file, { bytes: bytes.length, sha256: hash('sha256', bytes) });
      assert.equal(manifest.checkpoint.split('\n')[1], String(manifest.size));
      assert.equal(manifest.checkpoint.split('\n')[2], manifest.root);
      for (const each of [file, `${file}.json`]) assert.equal((await stat(each)).mode & 0o777, 0o600);
      assert.ok(
        (await readdir(folder)).every((name) => /\.db(?:\.json)?$/.test(name)),
        'nothing else is left',
      );
    });

    test('holds no key, no passphrase, no token and no secret', async () => {
      const device = await TestDevice.expected(served, 'secretive');
      const { stdout } = await backup(path.join(folder, 'searched.db'));
      const { file } = JSON.parse(stdout) as { file: string };
      const bytes = Buffer.concat([await readFile(file), await readFile(`${file}.json`)]).toString('latin1');
      const secrets = [device.secret];
      for (const name of ['secrets/passphrase', 'operators/admin.token']) {
        secrets.push((await readFile(path.join(served.directory, name), 'utf8')).trim());
      }
      for (const secret of secrets) assert.ok(secret.length > 20 && !bytes.includes(secret));
      assert.doesNotMatch(bytes, /PRIVATE KEY/);
    });

    test('is not written over another, nor where no folder is', async () => {
      const file = path.join(folder, 'once.db');
      assert.equal((await backup(file)).code, 0);
      const written = await readFile(file);
      const again = await backup(file);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /is there already/);
      assert.deepEqual(await readFile(file), written);
      assert.equal((await backup(path.join(folder, 'nowhere', 'x.db'))).code, 2);
    });

    test('is not kept from its name by one that was killed, which is taken away when it is old', async () => {
      const left = (name: string, hours: number) => {
        const file = path.join(folder, `.${name}.0123456789abcdef.partial`);
        return writeFile(file, '').then(() => utimes(file, new Date(), Date.now() / 1000 - hours * 3600));
      };
      await left('again.db', 1);
      await left('older.db', 30);
      await writeFile(path.join(folder, '.again.db.partial'), '');
      assert.equal((await backup(path.join(folder, 'again.db'))).code, 0);
      const hidden = (await readdir(folder)).filter((name) => name.startsWith('.'));
      assert.deepEqual(hidden.toSorted(), ['.again.db.0123456789abcdef.partial', '.again.db.partial']);
      for (const name of hidden) await rm(path.join(folder, name));
    });

    test('is refused where the checkpoint outside the database does not fit: nothing is signed then', async () => {
      const checkpoint = path.join(served.directory, 'log/checkpoint');
      await served.stop();
      const published = await readFile(checkpoint, 'utf8');
      try {
        await writeFile(
          checkpoint,
          published.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`),
        );
        const changed = await backup(path.join(folder, 'forged.db'));
        assert.equal(changed.code, 5, changed.stderr);
        await rm(checkpoint);
        assert.equal((await backup(path.join(folder, 'forged.db'))).code, 5);
        assert.deepEqual(
          (await readdir(folder)).filter((name) => name.includes('forged')),
          [],
        );
      } finally {
        await writeFile(checkpoint, published);
      }
      assert.equal(
        (await backup(path.join(folder, 'still.db'))).code,
        0,
        'a backup needs no running authority',
      );
    });
  });
}

interface Manifest {
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
  readonly file: { readonly bytes: number; readonly sha256: string };
}

async function manifestOf(file: string): Promise<Manifest> {
  return JSON.parse(await readFile(`${file}.json`, 'utf8')) as Manifest;
}

/** Entries, certificates and head are of the same moment: each issuance in the log has its certificate, and no other is there. */
function assertOfOneMoment(file: string, { size }: Manifest): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok');
    assert.deepEqual(database.prepare('pragma foreign_key_check').all(), []);
    const issued = database
      .prepare('select idx, bytes from log_entry order by idx')
      .all()
      .flatMap(({ idx, bytes }) =>
        Buffer.from(bytes as Uint8Array).includes('"outcome":"issued"') ? [idx] : [],
      );
    const stored = database.prepare('select log_idx from certificate order by log_idx').all();
    assert.deepEqual(
      stored.map((row) => row['log_idx']),
      issued,
    );
    assert.deepEqual({ ...database.prepare('select size from log_head').get() }, { size });
    assert.deepEqual({ ...database.prepare('select count(*) as size from log_entry').get() }, { size });
  } finally {
    database.close();
  }
}
