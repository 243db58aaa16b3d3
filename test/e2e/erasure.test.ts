import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseCertificate, parseCertificateList } from '#x509';
import { findClient } from '../clients.ts';
import {
  anyPorts,
  type AuthorityFiles,
  type Cleanup,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf, logSize, requestEntriesOf } from '../harness/entries.ts';
import { postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TestDevice } from '../harness/test-device.ts';

const id = 'ida-whose-laptop';
const names = [id, 'ida-whose-serial', 'ida.whose.example.org', 'said ida whose'];
const postgresql = findClient('postgresql');

const databases = {
  SQLite: { skip: false, init: (cleanup: Cleanup) => initAuthority(cleanup, anyPorts) },
  PostgreSQL: {
    skip: 'skip' in postgresql ? postgresql.skip : false,
    async init(cleanup: Cleanup) {
      if ('skip' in postgresql) throw new Error(postgresql.skip);
      return postgresAuthority(cleanup, await PostgresCluster.start(postgresql.path, cleanup));
    },
  },
} as const;

for (const [database, { skip, init }] of Object.entries(databases)) {
  describe(`a device that is erased, on ${database}`, { skip }, () => {
    const cleanup = suiteCleanup();
    let files: AuthorityFiles;
    let authority: ServedAuthority;
    let device: TestDevice;
    let other: TestDevice;
    let serialNumber: string;
    let as: string;

    before(async () => {
      files = await init(cleanup);
      authority = await serveAuthority(files);
      cleanup.after(() => authority.stop());
      const { client } = authority.admin;
      const identifiers = { serial_number: 'ida-whose-serial', dns_name: 'ida.whose.example.org' };
      device = await TestDevice.unapproved(authority, id, { identifiers });
      other = await TestDevice.enrolled(authority, 'eva-and-hers');
      const subjectAltName = [{ kind: 'dns', value: 'ida.whose.example.org' }] as const;
      const csr = csrFor(id, device.key, { subjectAltName });
      await device.enroll({ csr, secret: 'wrong' });
      await device.enroll({ csr });
      const [held] = (await client.perform('listRequests', { state: 'pending' })).items;
      await client.perform('approveRequest', { id: held!.id, remark: 'said ida whose' });
      assert.equal((await device.enroll({ csr })).status, 200);
      serialNumber = parseCertificate(device.certificate!).serialNumber;
      assert.equal((await device.renew()).status, 200);
      await client.perform('revokeCertificate', { id: serialNumber, remark: 'said ida whose' });
      // Another device's request that names it, and one that waits for ever.
      assert.equal((await device.enroll({ secret: other.secret })).status, 401);
      await device.newSecret();
      await device.enroll({ key: makeKey(), secret: device.secret });
    });

    const erase = (which: string, ...more: string[]) =>
      sallyportHere('device', 'erase', which, '--config', files.configuration, ...more);

    async function verified() {
      const { code, stdout, stderr } = await sallyportHere(
        'log',
        'verify',
        '--json',
        '--config',
        files.configuration,
      );
      assert.equal(code, 0, stdout + stderr);
      return JSON.parse(stdout) as { erased: number; certificates: number };
    }

    test('has to be retired before, and has to be there', async () => {
      const size = await logSize(authority);
      const early = await erase(id);
      assert.equal(early.code, 1);
      assert.match(early.stderr, /is active; only what is retired can be erased: sallyport device retire/);
      const unknown = await erase('nobody');
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /there is no device nobody/);
      assert.equal(await logSize(authority), size);
      await authority.admin.client.perform('retireDevice', { id, remark: 'said ida whose' });
    });

    test('is in no entry any more, nor in the database, and who erased it is', async () => {
      const before = await entriesOf(authority);
      const { code, stdout, stderr } = await erase(id, '--json');
      assert.equal(code, 0, stderr);
      const erased = JSON.parse(stdout) as { as: string; entries: number; certificates: number };
      as = erased.as;
      assert.match(as, /^E-/);
      assert.deepEqual([erased.certificates, erased.entries > 8], [2, true], stdout);
      assert.doesNotMatch(stdout, /ida/);

      const entries = await entriesOf(authority);
      const act = entries.at(-1)!;
      assert.deepEqual([act['act'], act['operator']], ['device.erase', 'admin']);
      for (const name of names) {
        assert.ok(JSON.stringify(before).includes(name), name);
        assert.equal(JSON.stringify(entries).includes(name), false, name);
      }
      const { admin } = authority;
      await assert.rejects(admin.client.perform('showDevice', { id }), /there is no device/);
      const shown = await admin.client.perform('showDevice', { id: as });
      const views = JSON.stringify([shown, await admin.client.perform('listRequests', {})]);
      for (const name of names) assert.equal(views.includes(name), false, name);
      assert.equal(shown.certificates.length, 2);
      if (database === 'SQLite') {
        const directory = path.join(files.directory, 'data');
        const secrets = names.map((name) => Buffer.from(name));
        await assertNowhere(secrets, { directory, faults: [], control: 'eva-and-hers' });
      }
    });

    test('leaves a log that verifies, and says what it could only judge', async () => {
      const { erased, certificates } = await verified();
      assert.ok(erased > 8);
      assert.equal(certificates, 3);
      const { stdout } = await sallyportHere('log', 'verify', '--config', files.configuration);
      assert.match(stdout, new RegExp(`^erased +${erased}: judged by their facts, not derived$`, 'm'));
      const [entry] = (await requestEntriesOf(authority))
        .filter(({ outcome }) => outcome === 'issued')
        .slice(-1);
      const words = await sallyportHere('log', 'show', entry!.id, '--config', files.configuration);
      assert.match(words.stdout, /^device +\(erased\) \(laptop, active\)$/m);
      assert.match(words.stdout, /^personal fields +not there any more/m);
      const tail = await sallyportHere('log', 'tail', '--config', files.configuration);
      assert.deepEqual([tail.code, tail.stderr], [0, '']);
      assert.match(tail.stdout, /device\.erase/);
      const csr = await sallyportHere('log', 'show', entry!.id, '--csr', '--config', files.configuration);
      assert.match(csr.stderr, /is not there any more/);
    });

    test('is still on the CRL, and its certificate is shown without its names', async () => {
      const { body } = await publicDocument(authority, '/crl/issuing.crl');
      const { revoked } = parseCertificateList(body);
      assert.deepEqual(
        revoked.map((each) => each.serialNumber),
        [serialNumber],
      );
      const {
        subject,
        pem,
        state,
        device: of,
      } = await authority.admin.client.perform('showCertificate', {
        id: serialNumber,
      });
      assert.deepEqual([subject, pem, state, of], [null, null, 'revoked', as]);
      const shown = await sallyportHere(
        'certificate',
        'show',
        serialNumber,
        '--pem',
        '--config',
        files.configuration,
      );
      assert.match(shown.stderr, /was erased with its device/);
      assert.equal(shown.code, 1);
    });

    test('cannot come back by its certificate, which is still valid, nor by its secrets; what it asks is erased as well', async () => {
      assert.equal((await device.renew()).status, 403);
      assert.equal((await device.enroll()).status, 401);
      await verified();
      const again = JSON.parse((await erase(as, '--json')).stdout) as { as: string; entries: number };
      assert.equal(again.entries, 2);
      as = again.as;
      assert.doesNotMatch(JSON.stringify(await entriesOf(authority)), /ida-whose-laptop/);
      await verified();
    });

    test('gives its id to another, who gets nothing of it', async () => {
      const next = await TestDevice.expected(authority, id);
      assert.deepEqual((await authority.admin.client.perform('showDevice', { id })).certificates, []);
      assert.equal((await device.renew()).status, 403);
      // The key of the erased one is still known as another's.
      assert.equal((await next.enroll({ key: device.key })).status, 400);
      await next.newSecret();
      assert.equal((await next.enroll()).status, 200);
      await verified();
    });

    test('leaves the others as they are', async () => {
      assert.equal((await other.renew()).status, 200);
      const entries = await requestEntriesOf(authority);
      assert.ok(entries.some(({ certificate }) => certificate?.deviceId === 'eva-and-hers'));
    });

    test('is in the lines of the SIEM until those are purged by the act, which names them', async () => {
      // The sink is half a second behind.
      const { size } = (await authority.admin.client.perform('showStatus', {})).log;
      const read = async () =>
        (await readFile(path.join(files.directory, 'log/events.ndjson'), 'utf8')).trimEnd().split('\n');
      for (let tries = 0; tries < 100 && (await read()).length < size; tries += 1) await setTimeout(50);
      const lines = (await read()).map(
        (line) => JSON.parse(line) as { log: { index: number; origin: string }; entry: object },
      );
      const purge = lines.flatMap(({ entry }) => {
        const { act, detail } = entry as {
          act?: string;
          detail?: { erased: { log: string; indexes: number[][] }[] };
        };
        return act === 'device.erase' ? detail!.erased : [];
      });
      const isPurged = (index: number) =>
        purge.some(({ indexes }) => indexes.some(([first, last]) => first! <= index && index <= last!));
      const reimported = lines.findIndex(
        ({ log, entry }) => !isPurged(log.index) && JSON.stringify(entry).includes(id),
      );
      const lastErasure = lines.findLastIndex(({ entry }) => JSON.stringify(entry).includes('device.erase'));
      assert.ok(lastErasure > 0 && reimported > lastErasure, `${reimported} ${lastErasure}`);
    });
  });
}
