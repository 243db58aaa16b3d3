import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { CompactRange } from '#audit';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

/** 2^40: the first place of the second log. */
const secondLog = 1_099_511_627_776;

describe('the logs of a restored authority that was tampered with', () => {
  const cleanup = suiteCleanup();
  let original: AuthorityFiles;
  before(async () => {
    original = await initAuthority(cleanup, anyPorts);
    const served = await serveAuthority(original);
    await TestDevice.enrolled(served, 'before');
    const beside = (name: string) => path.join(original.directory, '..', name);
    const backup = await backUp(original, beside('backup.db'));
    await TestDevice.enrolled(served, 'after');
    await served.stop();
    await copyFile(path.join(original.directory, 'log/events.ndjson'), beside('siem.ndjson'));
    await loseDatabase(original, null);
    const { origin } = await restored(original, '--from', backup, '--siem-export', beside('siem.ndjson'));
    await nameLog(original, origin);
  });

  const verify = ({ configuration }: { configuration: string }) =>
    sallyportHere('log', 'verify', '--json', '--config', configuration);

  type Expected = readonly (readonly [index: number | null, words: RegExp])[];

  async function assertFindings(tampered: TamperedAuthority, expected: Expected): Promise<void> {
    const { code, stdout } = await verify(tampered);
    assert.equal(code, 5, stdout);
    const { findings } = JSON.parse(stdout) as { findings: { index: number | null; message: string }[] };
    for (const [index, words] of expected) {
      assert.ok(
        findings.some((finding) => finding.index === index && words.test(finding.message)),
        JSON.stringify(findings, null, 1),
      );
    }
  }

  async function assertFound(t: TestContext, sql: string, ...expected: Expected): Promise<void> {
    const tampered = await TamperedAuthority.copyOf(original, t);
    tampered.write((database) => database.exec(sql));
    await assertFindings(tampered, expected);
  }

  test('verify as long as they were not', async () => {
    const { code, stdout } = await verify(original);
    assert.equal(code, 0, stdout);
  });

  test('are found by a changed entry of the log that ended', async (t) => {
    await assertFound(
      t,
      `update log_entry set bytes = cast(replace(bytes, '"event":"started"', '"event":"stopped"') as blob) where idx < ${secondLog}`,
      [2, /^sallyport\/log: the bytes of the entry are not those that were hashed/],
      [null, /^sallyport\/log: the root in the head is not the root over the entries/],
    );
  });

  test('are found by a certification request taken from beside the log that ended, and by one put beside the other', async (t) => {
    // DER begins with a SEQUENCE, a document of personal fields with a brace.
    const isRequest = `log_idx < ${secondLog} and substr(bytes, 1, 1) = x'30'`;
    const { index } = await TamperedAuthority.copyOf(original, t).then((copy) =>
      copy.write((database) => ({
        index: Number(
          database.prepare(`select max(log_idx) as idx from blob where ${isRequest}`).get()!['idx'],
        ),
      })),
    );
    assert.ok(index < secondLog);
    await assertFound(t, `delete from blob where log_idx = ${index} and ${isRequest}`, [
      index,
      /^sallyport\/log: the certification request that it names is not there/,
    ]);
    await assertFound(t, `update blob set log_idx = ${secondLog} where log_idx = ${index} and ${isRequest}`, [
      0,
      /^something is kept beside it that it does not name/,
    ]);
  });

  test('are found by a tail cut from the log that ended, with a head that fits', async (t) => {
    const tampered = await TamperedAuthority.copyOf(original, t);
    tampered.write((database) => {
      database.exec(
        `delete from log_entry where idx = (select max(idx) from log_entry where idx < ${secondLog})`,
      );
      const range = CompactRange.empty();
      const rows = database.prepare('select leaf_hash from log_entry where idx < ? order by idx');
      for (const row of rows.all(secondLog)) range.append(row['leaf_hash'] as Uint8Array);
      database.prepare('update earlier_log set size = ?, hashes = ?').run(range.size, range.toBytes());
    });
    await assertFindings(tampered, [
      [null, /^sallyport\/log: the tail is cut/],
      [null, /^sallyport\/log: the first entry of .* names another size of the log that it follows/],
    ]);
    tampered.write((database) => database.exec('update earlier_log set size = size + 1'));
    const { code } = await verify(tampered);
    assert.equal(code, 5);
  });

  test('are found by the log that ended taken away', async (t) => {
    await assertFound(t, 'delete from earlier_log', [0, /does not begin with the authority's creation/]);
  });

  test('are found by another name or note of the log that ended', async (t) => {
    await assertFound(t, `update earlier_log set origin = 'other/log'`, [
      null,
      /names another origin of the log/,
    ]);
    await assertFound(t, `update earlier_log set note = note || '— other AAAAAAAA'`, [
      null,
      /names another checkpoint/,
    ]);
  });

  test('are found by a serial number taken off the CRL, and by one put there', async (t) => {
    await assertFound(t, 'delete from lost_certificate', [
      1,
      /was revoked at a restore, and is not in the store/,
    ]);
    await assertFound(
      t,
      `insert into lost_certificate select issuer, '0a', null, device_id, template, revoked_at, 0 from lost_certificate`,
      [null, /serial number 0a of issuing is revoked in the store, and no restore in the log revoked it/],
    );
  });

  test('are found by a certificate said to be of the other log', async (t) => {
    const tampered = await TamperedAuthority.copyOf(original, t);
    const index = tampered.write((database) => {
      const { log_idx } = database.prepare('select log_idx from certificate').get()!;
      database.exec(`update certificate set log_idx = ${secondLog}`);
      return Number(log_idx);
    });
    const { findings } = JSON.parse((await verify(tampered)).stdout) as {
      findings: { index: number; message: string }[];
    };
    assert.deepEqual(
      findings.map((finding) => finding.index),
      [0, index],
    );
    assert.match(
      findings[1]!.message,
      /^sallyport\/log: certificate \w+ was issued, and is not in the store/,
    );
  });
});
