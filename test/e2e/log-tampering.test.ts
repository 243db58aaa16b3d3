import assert from 'node:assert/strict';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import {
  type AuthorityFiles,
  anyPorts,
  initAuthority,
  sallyport,
  sallyportHere,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { assertFound, type LogFindings, verifyLog } from '../harness/log-findings.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Each in a copy of its own of an authority with a history: what was changed must be said, by index where it is an entry. */
describe('a log that was tampered with', () => {
  const cleanup = suiteCleanup();
  let original: AuthorityFiles;
  let older: { readonly database: string; readonly checkpoint: string };
  before(async () => {
    original = await initAuthority(cleanup, anyPorts);
    const kept = (name: string) => path.join(original.directory, '..', name);
    older = { database: kept('older.db'), checkpoint: kept('older.checkpoint') };

    const morning = await serveAuthority(original);
    await TestDevice.enrolled(morning, 'laptop-1');
    await morning.stop();
    await copyFile(path.join(original.directory, 'data/sallyport.db'), older.database);
    await copyFile(path.join(original.directory, 'log/checkpoint'), older.checkpoint);

    const evening = await serveAuthority(original);
    const { client } = evening.admin;
    const device = await TestDevice.enrolled(evening, 'laptop-2');
    assert.equal((await device.enroll({ key: makeKey() })).status, 401);
    const [certificate] = (await client.perform('listCertificates', { device: 'laptop-1' })).items;
    await client.perform('revokeCertificate', { id: certificate!.sha256 });
    await evening.stop();
  });

  const copy = (t: TestContext) => TamperedAuthority.copyOf(original, t);

  async function assertRefusesToStart(
    { configuration }: { configuration: string },
    words: RegExp,
  ): Promise<void> {
    const { code, stdout, stderr } = await sallyportHere('serve', '--json', '--config', configuration);
    assert.deepEqual([code, stdout], [5, ''], stderr);
    assert.match(stderr, words);
  }

  const refused = (entry: Record<string, unknown>) => entry['outcome'] === 'refused';

  test('verifies as long as it was not', async () => {
    const verified = await sallyport('log', 'verify', '--json', '--config', original.configuration);
    assert.equal(verified.code, 0, verified.stderr);
    const { ok, findings } = JSON.parse(verified.stdout) as LogFindings;
    assert.deepEqual({ ok, findings }, { ok: true, findings: [] });
  });

  test('is found by one changed byte of an entry', async (t) => {
    const tampered = await copy(t);
    const index = tampered.indexOf(refused);
    tampered.rewriteEntry(index, (entry) => ({ ...entry, id: `${String(entry['id']).slice(0, -1)}_` }));
    await assertFound(tampered, [
      [null, /root in the head is not the root over the entries/],
      [null, /not those whose root was signed/],
      [index, /not those that were hashed/],
    ]);
  });

  test('is found by its checkpoint where every hash was made to fit, and does not start', async (t) => {
    const tampered = await copy(t);
    tampered.rewriteEntry(tampered.indexOf(refused), (entry) => ({ ...entry, id: 'R-0000-0000-0000-0000' }));
    tampered.rehash();
    await assertFound(tampered, [[null, /not those whose root was signed/]]);
    await assertRefusesToStart(tampered, /not those that were published/);
  });

  test('is found by replay where the verdict was changed, every hash fits and the checkpoint is signed anew', async (t) => {
    const tampered = await copy(t);
    const index = tampered.indexOf(refused);
    const verdict = { decision: 'hold', objections: [] };
    tampered.rewriteEntry(index, (entry) => ({ ...entry, verdict, outcome: 'held' }));
    await tampered.signCheckpoint(tampered.rehash());
    await assertFound(tampered, [
      [index, /judged again, it comes out otherwise: hold was recorded, deny \(.*secret-unused/],
    ]);
  });

  test('is found by its outcome where that does not follow from the verdict', async (t) => {
    const tampered = await copy(t);
    const index = tampered.indexOf(refused);
    tampered.rewriteEntry(index, (entry) => ({ ...entry, outcome: 'held' }));
    await tampered.signCheckpoint(tampered.rehash());
    await assertFound(tampered, [[index, /held against the verdict deny/]]);
  });

  test('is found by the references that its requests were judged by', async (t) => {
    const tampered = await copy(t);
    const requests = tampered.write((database) => {
      database.exec("update references_body set body = cast(replace(body, 'TLSv1.3', 'TLSv1.2') as blob)");
      return database.prepare('select idx, bytes from log_entry order by idx').all();
    });
    const judged = requests.filter(({ bytes }) =>
      Buffer.from(bytes as Uint8Array).includes('"type":"request"'),
    );
    await assertFound(
      tampered,
      judged.map(({ idx }) => [Number(idx), /references \w+ were changed/] as const),
    );
  });

  test('is found by a changed byte of a certificate', async (t) => {
    const tampered = await copy(t);
    const index = tampered.write((database) => {
      const { log_idx, der } = database
        .prepare('select log_idx, der from certificate order by log_idx')
        .get()!;
      const bytes = Buffer.from(der as Uint8Array);
      bytes[bytes.length - 1]! ^= 1;
      database.prepare('update certificate set der = ? where log_idx = ?').run(bytes, log_idx as number);
      return Number(log_idx);
    });
    await assertFound(tampered, [[index, /its bytes in the store were changed/]]);
  });

  for (const [column, value, words] of [
    ['device_id', "'laptop-2'", /another device/],
    ['template', "'server'", /another template/],
    ['issuer', "'other'", /another issuer/],
    ['predecessor', "'ab'", /another predecessor/],
    ['spki', "'ab'", /another key/],
    ['not_after', 'not_after + 1000', /another validity/],
    ['not_before', 'not_before - 1000', /another validity/],
  ] as const) {
    test(`is found by another ${column} of a certificate`, async (t) => {
      const tampered = await copy(t);
      const index = tampered.indexOf(({ outcome }) => outcome === 'issued');
      tampered.write((database) =>
        database.exec(`update certificate set ${column} = ${value} where log_idx = ${index}`),
      );
      await assertFound(tampered, [[index, words]]);
    });
  }

  test('is found by a hash over its entries of which tiles and proofs are made, and does not start', async (t) => {
    const tampered = await copy(t);
    tampered.append(Array.from({ length: 256 }, () => ({ event: 'started', detail: {} })));
    await tampered.signCheckpoint(tampered.rehash());
    assert.equal((await verifyLog(tampered)).ok, true);
    tampered.write((database) => database.exec('update log_hash set hash = zeroblob(32)'));
    await assertFound(tampered, [[null, /over entries 0 to 255 is not that of the entries/]]);
    await assertRefusesToStart(tampered, /head does not fit its entries/);
  });

  test('is found by a certificate that was taken away', async (t) => {
    const tampered = await copy(t);
    const index = tampered.indexOf(({ outcome }) => outcome === 'issued');
    tampered.write((database) => database.prepare('delete from certificate where log_idx = ?').run(index));
    const revoked = tampered.indexOf(({ act }) => act === 'certificate.revoke');
    await assertFound(tampered, [
      [index, /was issued, and is not in the store/],
      [revoked, /was revoked, and is not revoked in the store/],
    ]);
  });

  test('is found by a revocation that was taken back', async (t) => {
    const tampered = await copy(t);
    tampered.write((database) =>
      database.exec('update certificate set revoked_at = null, revocation_reason = null'),
    );
    assert.equal((await verifyLog(tampered)).code, 5);
  });

  test('is found by a serial number of an abandoned intent that was taken off the CRL, or put on it', async (t) => {
    const tampered = await copy(t);
    const abandoned = { id: 'I-1', issuer: 'issuing', serialNumber: '0a', template: 'device' };
    tampered.append([{ event: 'intent.abandoned', detail: abandoned }]);
    const insert = (id: string, serialNumber: string) =>
      tampered.write((database) =>
        database.exec(
          `insert into abandoned_intent values ('${id}', 'issuing', '${serialNumber}', 'h', 'laptop-1', 'device', 'k', 1)`,
        ),
      );
    insert('I-1', '0a');
    await tampered.signCheckpoint(tampered.rehash());
    assert.equal((await verifyLog(tampered)).ok, true);
    insert('I-2', '0b');
    await assertFound(tampered, [
      [null, /number 0b of issuing is revoked in the store, and no intent of it/],
    ]);
    tampered.write((database) => database.exec('delete from abandoned_intent'));
    const index = tampered.indexOf(({ event }) => event === 'intent.abandoned');
    await assertFound(tampered, [[index, /0a of issuing was revoked with its abandoned intent, and is not/]]);
  });

  test('is found by a certificate that was put in', async (t) => {
    const tampered = await copy(t);
    const index = tampered.indexOf(refused);
    tampered.write((database) =>
      database.exec(`insert into certificate select ${index}, 'ab' || substr(sha256, 3), issuer, 'ab' || serial_number, device_id,
        template, spki, names, not_before, not_after, predecessor, null, null, der, null from certificate limit 1`),
    );
    await assertFound(tampered, [[index, /is in the store, and its issuance is not in the log/]]);
  });

  test('is found by its checkpoint where the tail was cut and the head made to fit, and does not start', async (t) => {
    const tampered = await copy(t);
    tampered.write((database) =>
      database.exec('delete from log_entry where idx = (select max(idx) from log_entry)'),
    );
    tampered.rehash();
    await assertFound(tampered, [[null, /the tail is cut/]]);
    await assertRefusesToStart(tampered, /this is an older copy/);
  });

  test('is found by its checkpoint where the database is an older copy, and does not start', async (t) => {
    const tampered = await copy(t);
    await copyFile(older.database, tampered.databaseFile);
    await assertFound(tampered, [[null, /the tail is cut/]]);
    await assertRefusesToStart(tampered, /this is an older copy/);
  });

  test('is found by a checkpoint kept elsewhere where that of the machine is older as well', async (t) => {
    const tampered = await copy(t);
    const elsewhere = path.join(tampered.directory, '..', 'elsewhere.checkpoint');
    await copyFile(tampered.checkpointFile, elsewhere);
    await copyFile(older.database, tampered.databaseFile);
    await copyFile(older.checkpoint, tampered.checkpointFile);
    assert.equal((await verifyLog(tampered)).ok, true);
    await assertFound(tampered, [[null, /the tail is cut/]], '--checkpoint', elsewhere);
  });

  test('is suspected where the checkpoint is gone, and does not start', async (t) => {
    const tampered = await copy(t);
    await rm(tampered.checkpointFile);
    await assertFound(tampered, [[null, /the checkpoint file is missing/]]);
    await assertRefusesToStart(tampered, /missing: put it back/);
  });

  test('is suspected where the checkpoint does not verify, and does not start', async (t) => {
    const tampered = await copy(t);
    const note = await readFile(tampered.checkpointFile, 'utf8');
    await writeFile(
      tampered.checkpointFile,
      note.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`),
    );
    await assertFound(tampered, [[null, /the checkpoint is refused/]]);
    await assertRefusesToStart(tampered, /the checkpoint kept outside the database is refused/);
  });
});
