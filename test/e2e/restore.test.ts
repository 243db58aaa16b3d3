import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { leafHash, parseVerifierKey, verifyTlogProof } from '#audit';
import { parseCertificate, parseCertificateList } from '#x509';
import { findClient, requireClient } from '../clients.ts';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { entriesOf, leafHashOf } from '../harness/entries.ts';
import { postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { publicDocument } from '../harness/public-document.ts';
import {
  backUp,
  loseDatabase,
  nameLog,
  restore,
  restored,
  type RestoreReport,
} from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

restores('SQLite', async (cleanup) => ({ files: await initAuthority(cleanup, anyPorts), cluster: null }));
restores(
  'PostgreSQL',
  async (cleanup) => {
    assert.ok('path' in postgresql);
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    return { files: await postgresAuthority(cleanup, cluster), cluster };
  },
  'skip' in postgresql ? postgresql.skip : false,
);
type Cleanup = ReturnType<typeof suiteCleanup>;

/** An authority with a history, of which the last part came after the backup; then the database is lost. */
function restores(
  kind: string,
  start: (cleanup: Cleanup) => Promise<{ files: AuthorityFiles; cluster: PostgresCluster | null }>,
  skip: string | false = false,
): void {
  describe(`an authority that was restored to ${kind}`, { skip }, () => {
    const cleanup = suiteCleanup();
    const devices: Record<string, TestDevice> = {};
    const serial: Record<string, string> = {};
    let cluster: PostgresCluster | null;
    let files: AuthorityFiles;
    let backup: string;
    let siem: string;
    let served: ServedAuthority;
    let done: RestoreReport;
    let oldOrigin: string;
    let oldCode: string;
    let crlBefore: { readonly crlNumber: bigint | null };

    const beside = (name: string) => path.join(files.directory, '..', name);
    const crl = async () => parseCertificateList((await publicDocument(served, '/crl/issuing.crl')).body);
    const enrolled = async (name: string) => {
      const device = await TestDevice.enrolled(served, name);
      devices[name] = device;
      serial[name] = parseCertificate(device.certificate!).serialNumber;
    };
    const revoke = async (name: string, reason: 'keyCompromise' | 'superseded') => {
      const { items } = await served.admin.client.perform('listCertificates', { device: name });
      await served.admin.client.perform('revokeCertificate', { id: items[0]!.sha256, reason });
    };
    const serve = async () => {
      const next = await serveAuthority(files);
      served = next;
      cleanup.after(() => next.stop());
      // A device asks the authority that serves now, whose port is another one.
      for (const device of Object.values(devices)) device.moveTo(next);
    };

    before(async () => {
      if (skip !== false) return;
      ({ files, cluster } = await start(cleanup));
      await serve();
      for (const name of ['kept', 'revoked-before', 'revoked-after', 'stolen']) await enrolled(name);
      await revoke('revoked-before', 'superseded');
      devices['with-secret'] = await TestDevice.expected(served, 'with-secret');
      devices['held'] = await TestDevice.unapproved(served, 'held');
      assert.equal((await devices['held'].enroll()).status, 202);
      const [held] = (await served.admin.client.perform('listRequests', { state: 'pending' })).items;
      oldCode = held!.id;

      await mkdir(beside('backups'));
      backup = await backUp(files, beside('backups'));

      for (const name of ['issued-after', 'compromised-after']) await enrolled(name);
      await revoke('compromised-after', 'keyCompromise');
      await revoke('revoked-after', 'superseded');
      await served.admin.client.perform('suspendDevice', { id: 'stolen' });
      crlBefore = await crl();
      const refused = await restore(files, '--from', backup);
      assert.deepEqual([refused.code, /running already/.test(refused.stderr)], [1, true], refused.stderr);
      await served.stop();
      siem = beside('siem.ndjson');
      await copyFile(path.join(files.directory, 'log/events.ndjson'), siem);
    });

    const tampered = async (name: string, change: (file: string) => Promise<void>) => {
      const file = path.join(beside('backups'), name);
      await copyFile(backup, file);
      await copyFile(`${backup}.json`, `${file}.json`);
      await change(file);
      return file;
    };
    const assertRefused = async (words: RegExp, ...given: string[]) => {
      const { code, report, stderr } = await restore(files, ...given);
      assert.equal(code, 5, stderr);
      assert.match(`${stderr}${report?.findings.map(({ message }) => message).join('\n')}`, words);
    };

    test('is refused a database that holds an authority: nothing is overwritten', async () => {
      const { code, stderr } = await restore(files, '--from', backup);
      assert.equal(code, 1);
      assert.match(stderr, /holds an authority already/);
      const { stdout } = await sallyportHere('log', 'verify', '--json', '--config', files.configuration);
      assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);
    });

    test('is refused a backup that was tampered with, by whoever can write files but has no key', async () => {
      await loseDatabase(files, cluster);
      const flipped = await tampered('flipped.db', async (file) => {
        const bytes = await readFile(file);
        bytes[bytes.length >> 1]! ^= 1;
        await writeFile(file, bytes);
      });
      await assertRefused(/is not the file that its manifest names/, '--from', flipped);
      const resealed = await tampered('resealed.db', async (file) => {
        const database = new DatabaseSync(file);
        database.exec("insert into operator values ('mallory', x'00', 0)");
        database.close();
        const bytes = await readFile(file);
        const described = { bytes: bytes.length, sha256: hash('sha256', bytes) };
        const manifest = JSON.parse(await readFile(`${file}.json`, 'utf8')) as object;
        await writeFile(`${file}.json`, JSON.stringify({ ...manifest, file: described }));
      });
      await assertRefused(/the seal of the manifest is refused/, '--from', resealed);
    });

    test('is refused a backup of another key, and of another log key than the one given', async () => {
      const other = await initAuthority(cleanup, anyPorts);
      const foreign = await backUp(other, beside('backups/foreign.db'));
      await assertRefused(/the seal of the manifest is refused/, '--from', foreign);
      const { stdout } = await sallyportHere('log', 'verify', '--json', '--config', other.configuration);
      assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);
      const [first] = await createdWith(foreign);
      await assertRefused(/the seal of the manifest is refused/, '--from', backup, '--log-key', first!);
    });

    test('is refused an export that is not the log: of the backup, of its own hashes, of the checkpoint', async () => {
      const lines = (await readFile(siem, 'utf8')).trimEnd().split('\n');
      const rewritten = async (name: string, change: (line: string, at: number) => string | null) => {
        await writeFile(beside(name), `${lines.flatMap((line, at) => change(line, at) ?? []).join('\n')}\n`);
        return beside(name);
      };
      const withHash = (line: string, change: (text: string) => string) => {
        const { log, entry } = JSON.parse(change(line)) as { log: object; entry: object };
        return JSON.stringify({ log: { ...log, leafHash: leafHashOf({ log, entry }) }, entry });
      };
      const other = (text: string) => text.replace('"version":2', '"version":9');
      const last = lines.length - 1;
      const changedLine = await rewritten('line.ndjson', (line, at) => (at === 3 ? other(line) : line));
      await assertRefused(
        /:4 holds another entry 3 than its hash says/,
        '--from',
        backup,
        '--siem-export',
        changedLine,
      );
      const forked = await rewritten('forked.ndjson', (line, at) =>
        at === 3 ? withHash(line, other) : line,
      );
      await assertRefused(
        /:4 has another entry 3 than the backup/,
        '--from',
        backup,
        '--siem-export',
        forked,
      );
      const forged = await rewritten('forged.ndjson', (line, at) =>
        at === last ? withHash(line, other) : line,
      );
      await assertRefused(
        /not the log \S+ of \d+ entries that was published/,
        '--from',
        backup,
        '--siem-export',
        forged,
      );
    });

    test('can be checked beforehand, and nothing is done: what the export is worth is said', async () => {
      const whole = await restored(files, '--from', backup, '--siem-export', siem, '--check');
      const all = whole.beyond;
      assert.deepEqual(whole.siemExport, { entries: all, proven: all, unproven: 0, missing: 0 });
      assert.ok(all > 10);
      const lines = (await readFile(siem, 'utf8')).trimEnd().split('\n');
      await writeFile(beside('gap.ndjson'), `${lines.toSpliced(-5, 2).join('\n')}\n{"log":{"ori`);
      const gap = await restored(files, '--from', backup, '--siem-export', beside('gap.ndjson'), '--check');
      assert.deepEqual(gap.siemExport, { entries: all - 2, proven: 0, unproven: all - 2, missing: 2 });
      assert.deepEqual((await readdir(path.join(files.directory, 'data'))).length, 0);
    });

    test('begins a new log that names the old, its end, and what was published after it', async () => {
      done = await restored(files, '--from', backup, '--siem-export', siem);
      oldOrigin = done.backup.origin;
      assert.match(done.origin, new RegExp(`^${oldOrigin}/restored-\\d{8}-[a-z2-7]{8}$`));
      assert.deepEqual(
        [
          done.restored['lost'],
          done.restored['revoked'],
          done.restored['stopped'],
          done.restored['requests'],
        ],
        [2, 1, 1, 1],
      );
      const manifest = JSON.parse(await readFile(`${backup}.json`, 'utf8')) as Record<string, unknown>;
      const kept = await readFile(done.keptCheckpoint!, 'utf8');
      assert.equal(kept.split('\n')[0], oldOrigin);

      const early = await serveAuthority(files).then(
        () => 'served',
        (error: unknown) => String(error),
      );
      assert.match(early, /serve ended with 3/, 'the configuration has the old name');
      await nameLog(files, done.origin);
      await serve();
      const [first] = await entriesOf(served);
      const { previous, published } = (
        first as unknown as { detail: Record<string, Record<string, unknown>> }
      ).detail;
      assert.deepEqual(
        [previous!['origin'], previous!['size'], previous!['root'], previous!['checkpoint']],
        [oldOrigin, manifest['size'], manifest['root'], manifest['checkpoint']],
      );
      assert.equal(published!['checkpoint'], kept);
    });

    test('renews certificates from before the backup', async () => {
      assert.equal((await devices['kept']!.renew()).status, 200);
    });

    test('refuses secrets that were open, the one of a held request too', async () => {
      for (const name of ['with-secret', 'held']) {
        const { status } = await devices[name]!.enroll();
        assert.equal(status, 401, name);
      }
      assert.deepEqual((await served.admin.client.perform('listRequests', { state: 'pending' })).items, []);
      const { items } = await served.admin.client.perform('listSecrets', { state: 'live' });
      assert.deepEqual(items, []);
      await devices['with-secret']!.newSecret();
      assert.equal(
        (await devices['with-secret']!.enroll()).status,
        202,
        'the approval beforehand is void as well',
      );
    });

    test('revokes what was issued after the backup, and what was revoked stays so, under a greater CRL number', async () => {
      const { revoked, crlNumber } = await crl();
      const reasons = Object.fromEntries(
        revoked.map(({ serialNumber, reason }) => [serialNumber, reason ?? 0]),
      );
      assert.deepEqual(reasons, {
        [serial['revoked-before']!]: 4,
        [serial['revoked-after']!]: 4,
        [serial['issued-after']!]: 0,
        [serial['compromised-after']!]: 1,
      });
      assert.ok(crlNumber! > crlBefore.crlNumber!);
      for (const name of ['issued-after', 'revoked-after']) {
        assert.equal((await devices[name]!.renew()).status, 403, name);
      }
    });

    test('keeps a device suspended that was suspended after the backup', async () => {
      const { device } = await served.admin.client.perform('showDevice', { id: 'stolen' });
      assert.equal(device.state, 'suspended');
      assert.equal((await devices['stolen']!.renew()).status, 403);
    });

    test('verifies both logs and their link, the old one against its own checkpoint too', async () => {
      const verify = async (...more: string[]) => {
        const words = ['log', 'verify', '--json', '--config', files.configuration, ...more];
        const { code, stdout, stderr } = await sallyportHere(...words);
        assert.equal(stderr, '');
        return {
          code,
          ...(JSON.parse(stdout) as { earlier: { origin: string; size: number }[]; findings: object[] }),
        };
      };
      const verified = await verify();
      assert.deepEqual(verified.findings, []);
      assert.deepEqual(
        verified.earlier.map(({ origin, size }) => [origin, size]),
        [[oldOrigin, done.backup.size]],
      );
      const manifest = JSON.parse(await readFile(`${backup}.json`, 'utf8')) as { checkpoint: string };
      await writeFile(beside('old.checkpoint'), manifest.checkpoint);
      assert.equal((await verify('--checkpoint', beside('old.checkpoint'))).code, 0);
      const [noted] = await createdWith(backup);
      assert.equal((await verify('--log-key', noted!)).code, 0, 'the key as it was noted in the beginning');
      const beyond = await verify('--checkpoint', done.keptCheckpoint!);
      assert.equal(beyond.code, 5, 'what was published after the backup is not here');
    });

    test('shows and proves entries of the old log by their codes', async () => {
      const { client } = served.admin;
      const shown = await client.perform('showEntry', { id: oldCode });
      assert.equal(shown.earlierLog, oldOrigin);
      assert.equal((await client.perform('showCertificationRequest', { id: oldCode })).index, shown.index);
      const { receipt, entry, verifierKey } = await client.perform('proveEntry', { id: oldCode });
      const log = parseVerifierKey(verifierKey);
      assert.equal(log.name, oldOrigin);
      verifyTlogProof(receipt, { leafHash: leafHash(Buffer.from(entry)), log });
    });

    test('streams to the same file, each line under the name of its log', async () => {
      const text = await readFile(path.join(files.directory, 'log/events.ndjson'), 'utf8');
      const logs = text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { log: { origin: string; index: number } }).log);
      assert.deepEqual(new Set(logs.map(({ origin }) => origin)), new Set([oldOrigin, done.origin]));
      const ours = logs.filter(({ origin }) => origin === done.origin);
      assert.deepEqual(
        ours.map(({ index }) => index),
        ours.map((_, at) => at),
      );
    });

    test('is never the same log when the same backup is restored again', async () => {
      await served.stop();
      await loseDatabase(files, cluster);
      const again = await restored(files, '--from', backup, '--forget', done.origin);
      assert.notEqual(again.origin, done.origin);
      assert.equal(again.restored['lost'], 0, 'without the export nobody knows of them');
    });

    test('moves to the other database by its own backup, with all logs that it had', async (t) => {
      await nameLog(files, await currentOrigin(files));
      await serve();
      assert.equal((await devices['kept']!.renew()).status, 403, 'renewed in the log that is no more');
      await enrolled('later');
      const second = await backUp(files, beside('backups/second.db'));
      await served.stop();
      const other = await otherDatabase(cluster, cleanup);
      if (other === 'none') return void requireClient(t, 'postgresql');
      await loseDatabase(files, other);
      const { origin } = await restored(files, '--from', second);
      await nameLog(files, origin);
      await serve();
      assert.equal((await devices['later']!.renew({ key: makeKey() })).status, 200);
      const { stdout } = await sallyportHere('log', 'verify', '--json', '--config', files.configuration);
      const { ok, earlier } = JSON.parse(stdout) as { ok: boolean; earlier: unknown[] };
      assert.deepEqual([ok, earlier.length], [true, 2]);
    });
  });
}

async function currentOrigin({ directory }: AuthorityFiles): Promise<string> {
  return (await readFile(path.join(directory, 'log/checkpoint'), 'utf8')).split('\n')[0]!;
}

async function otherDatabase(
  cluster: PostgresCluster | null,
  cleanup: Cleanup,
): Promise<PostgresCluster | null | 'none'> {
  if (cluster !== null) return null;
  return 'path' in postgresql ? PostgresCluster.start(postgresql.path, cleanup) : 'none';
}

/** The verifier key that entry 0 of a backup names. */
async function createdWith(file: string): Promise<string[]> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const { bytes } = database.prepare('select bytes from log_entry where idx = 0').get()!;
    return [
      (JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as { detail: { log: string } }).detail.log,
    ];
  } finally {
    database.close();
  }
}
