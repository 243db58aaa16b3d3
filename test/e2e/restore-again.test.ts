import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { encodeEntry, leafHash } from '#audit';
import { parseCertificate, parseCertificateList } from '#x509';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor } from '../harness/csr.ts';
import { publicDocument } from '../harness/public-document.ts';
import { backUp, loseDatabase, nameLog, restore, restored } from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

type Entry = Readonly<Record<string, unknown>>;

interface Line {
  readonly log: { readonly origin: string; readonly index: number };
  readonly entry: Entry;
}

/** The database is lost twice before there is a new backup, and the SIEM's copy has lines that no log has. */
describe('a backup that is restored a second time', () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let served: ServedAuthority;
  let backup: string;
  let stolen: TestDevice;
  let between: TestDevice;
  let second: string;

  const beside = (name: string) => path.join(files.directory, '..', name);
  const serve = async () => {
    const next = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => next.stop());
    served = next;
    stolen?.moveTo(next);
    return next;
  };
  const lose = async () => {
    await served.stop();
    await copyFile(path.join(files.directory, 'log/events.ndjson'), beside('siem.ndjson'));
    await loseDatabase(files, null);
  };
  const listed = async () =>
    parseCertificateList((await publicDocument(served, '/crl/issuing.crl')).body).revoked.map(
      ({ serialNumber }) => serialNumber,
    );

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    stolen = await TestDevice.enrolled(await serve(), 'stolen');
    // Whoever asks decides what stands in the entry of the refusal.
    const stranger = await TestDevice.unapproved(served, 'laptop');
    const named = csrFor('lap\u2028top', stranger.key);
    assert.equal((await stranger.enroll({ csr: named, secret: 'wrong' })).status, 401);
    backup = await backUp(files, beside('backup.db'));
    await served.admin.client.perform('suspendDevice', { id: 'stolen' });
    await lose();
  });

  test('at first believes of lines that nothing proves only what is strict, and a list can hold', async () => {
    const serial = '4dfa63bdb3ad5d533148356d4ad85e8146cadb1d';
    const forged = await withInvented(beside('siem.ndjson'), beside('forged.ndjson'), [
      { act: 'device.resume', detail: { device: 'stolen', to: 'active' } },
      ...[serial, serial, 'abc'].map((serialNumber) => revocationOf(serialNumber)),
      { event: 'crl.issued', detail: { issuer: 'issuing', number: '999999999999999999' } },
    ]);
    const done = await restored(files, '--from', backup, '--siem-export', forged);
    const { proven, unproven, missing } = done.siemExport!;
    assert.deepEqual([proven, unproven, missing], [done.beyond, 5, 0]);
    assert.deepEqual([done.restored['stopped'], done.restored['lost']], [1, 1]);
    second = done.origin;
    await nameLog(files, second);
    await serve();
    assert.equal((await stolen.renew()).status, 403);
    assert.deepEqual(await listed(), [serial]);
    const { crlNumber } = parseCertificateList((await publicDocument(served, '/crl/issuing.crl')).body);
    assert.ok(crlNumber! < BigInt(Date.now() + 600_000));
  });

  test('is refused while the log after it is not known, unless that is given up', async () => {
    between = await TestDevice.enrolled(served, 'between');
    await lose();
    for (const more of [[], ['--siem-export', await withoutLast(beside('siem.ndjson'), second)]]) {
      const { code, stderr } = await restore(files, '--from', backup, ...more);
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(`older than the log ${second}`), stderr);
    }
    const checked = await restored(files, '--from', backup, '--check', '--forget', second);
    assert.deepEqual(
      checked.later.map(({ origin, isWhole }) => [origin, isWhole]),
      [[second, false]],
    );
  });

  test('does again what the log after it did', async () => {
    const siem = beside('siem.ndjson');
    const done = await restored(files, '--from', backup, '--siem-export', siem);
    assert.deepEqual([done.later[0]!.isWhole, done.siemExport!.proven], [true, done.beyond]);
    await nameLog(files, done.origin);
    await serve();
    assert.equal((await stolen.renew()).status, 403);
    assert.ok((await listed()).includes(parseCertificate(between.certificate!).serialNumber));
  });

  test('names the logs that it followed: a backup of its own log is not older than they are', async () => {
    const newer = await backUp(files, beside('newer.db'));
    const { later } = await restored(files, '--from', newer, '--check');
    assert.deepEqual(later, []);
    const stale = ['--from', newer, '--check', '--siem-export', beside('siem.ndjson')];
    assert.match((await restore(files, ...stale)).stderr, /no entry of the log .*, nor of one after it/);
    // The sink is half a second behind, and has the logs before it too: they are not counted as if they came after.
    const present = path.join(files.directory, 'log/events.ndjson');
    const { siemExport } = await restored(files, '--from', newer, '--check', '--siem-export', present);
    assert.ok(siemExport!.entries < 10 && siemExport!.missing === 0, JSON.stringify(siemExport));
  });
});

function revocationOf(serialNumber: string): Entry {
  const about = { issuer: 'issuing', sha256: 'aa'.repeat(32), device: 'nobody', template: 'device' };
  return {
    act: 'certificate.revoke',
    time: 9_000_000_000_000_000,
    detail: { ...about, serialNumber, reason: 'keyCompromise' },
  };
}

const linesOf = async (file: string) => (await readFile(file, 'utf8')).trimEnd().split('\n');

/** Behind the last line, as anybody can write them: a hash is no secret. */
async function withInvented(file: string, to: string, entries: readonly Entry[]): Promise<string> {
  const lines = await linesOf(file);
  const { log } = JSON.parse(lines.at(-1)!) as Line;
  const invented = entries.map((entry, at) => {
    const leaf = Buffer.from(leafHash(encodeEntry(entry))).toString('base64');
    return JSON.stringify({ log: { ...log, index: log.index + 1 + at, leafHash: leaf }, entry });
  });
  await writeFile(to, `${[...lines, ...invented].join('\n')}\n`);
  return to;
}

/** Without the last line of that log. */
async function withoutLast(file: string, origin: string): Promise<string> {
  const lines = await linesOf(file);
  const last = lines.findLastIndex((line) => (JSON.parse(line) as Line).log.origin === origin);
  await writeFile(`${file}.cut`, `${lines.toSpliced(last, 1).join('\n')}\n`);
  return `${file}.cut`;
}
