import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { anyPorts, initAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { Asking } from './asking.ts';
import { SqliteFile } from './database.ts';
import { EstClients } from './est-clients.ts';
import { brokenInvariants } from './invariants.ts';
import { seeded } from './random.ts';
import { Victim } from './victim.ts';
import { Witness } from './witness.ts';

/** An authority that stands still after all went well, and what is found once its copy is not well any more. */
describe('what must hold after a fault', () => {
  const cleanup = suiteCleanup();
  let victim: Victim;
  const witness = new Witness();
  before(async () => {
    const files = await initAuthority(cleanup, anyPorts);
    victim = new Victim(files, new SqliteFile(path.join(files.directory, 'data/sallyport.db')), cleanup);
    await victim.start();
    const asking = new Asking([victim], witness, seeded('invariants'));
    const clients = new EstClients(asking, witness);
    const [device, renewed] = await clients.devices(2);
    await clients.enroll(device!);
    await clients.enroll(renewed!);
    await clients.renew(renewed!);
    await clients.revoke(device!);
    await victim.stop('SIGTERM');
  });

  async function foundAfter(
    change: (copy: TamperedAuthority, witness: Witness) => Promise<void> | void,
  ): Promise<readonly string[]> {
    const copy = await TamperedAuthority.copyOf(victim.files, cleanup);
    const seen = new Witness();
    for (const [sha256, device] of witness.received) seen.received.set(sha256, device);
    for (const code of witness.codes) seen.codes.add(code);
    for (const sha256 of witness.revoked) seen.revoked.add(sha256);
    await change(copy, seen);
    const files = { ...victim.files, directory: copy.directory, configuration: copy.configuration };
    const database = new SqliteFile(copy.databaseFile);
    const node = new Victim(files, database, { after: () => undefined });
    return brokenInvariants({ database, nodes: [node], witness: seen }, 0);
  }

  const sql = (text: string) => (copy: TamperedAuthority) =>
    copy.write((database: DatabaseSync) => database.exec(`pragma foreign_keys = off; ${text}`));

  test('holds where nothing went wrong', async () => {
    assert.deepEqual(await foundAfter(() => undefined), []);
  });

  const broken: readonly [name: string, change: Parameters<typeof foundAfter>[0], found: RegExp][] = [
    [
      'a certificate that was received is gone',
      sql('delete from certificate where log_idx = (select max(log_idx) from certificate)'),
      /was received, and is not there/,
    ],
    [
      'a certificate was received that no entry tells of',
      (_, seen) => void seen.received.set('ab'.repeat(32), 'device-1'),
      /was received, and no entry tells of it/,
    ],
    [
      'a certificate is of another device',
      (_, seen) => {
        for (const sha256 of seen.received.keys()) seen.received.set(sha256, 'device-9');
      },
      /was received by device-9, and is of device-/,
    ],
    [
      'an answer was given that is not in the log',
      (_, seen) => void seen.codes.add('R-0000-0000-0000-0000'),
      /was told R-0000-0000-0000-0000, and no entry has that id/,
    ],
    ['a secret lives on', sql("update secret set state = 'live' where state = 'spent'"), /is live for/],
    [
      'a secret is spent for nothing',
      sql("update secret set certificate = 'none' where state = 'spent'"),
      /spent for a certificate that is not there/,
    ],
    [
      'an intent is open',
      sql(
        "insert into intent select 'i', 'issuing', '01', 'h', id, 'device', 's', 's', 'n', null, null, 0, 0 from device limit 1",
      ),
      /intent i is open/,
    ],
    [
      'a serial number was abandoned, and issued',
      sql(
        "insert into abandoned_intent select 'i', issuer, serial_number, 'h', device_id, 'device', 's', 0 from certificate limit 1",
      ),
      /was abandoned, and issued/,
    ],
    [
      'a serial number was abandoned, and no CRL has it',
      sql(
        "insert into abandoned_intent select 'i', 'issuing', '01', 'h', id, 'device', 's', 0 from device limit 1",
      ),
      /the CRL lacks intent 01/,
    ],
    [
      'a certificate was renewed twice',
      sql(
        `insert into certificate select 99999, 'other', issuer, '02', device_id, template, spki, names, not_before, not_after, predecessor, null, null, der, null
         from certificate where predecessor is not null`,
      ),
      /was renewed more than once/,
    ],
    [
      'an approval was used for nothing',
      sql("update approval set intent_id = 'none' where state = 'used'"),
      /is used, and intent none issued nothing/,
    ],
    [
      'an approval is open behind its certificate',
      sql("update approval set state = 'open', intent_id = null where state = 'used'"),
      /is open, and the device has its certificate/,
    ],
    [
      'an approval is in the hands of no intent',
      sql("update approval set state = 'taken' where state = 'used'"),
      /is taken, and intent R-.* is not open/,
    ],
    [
      'a device has a certificate and is expected',
      sql("update device set state = 'expected'"),
      /has a certificate, and is not active/,
    ],
    [
      'a checkpoint was published that the log does not begin with',
      (_, seen) => void seen.checkpoints.set(3, '00'.repeat(32)),
      /the checkpoint of 3 entries is no prefix/,
    ],
    [
      'a revocation is forgotten',
      sql('update certificate set revoked_at = null, revocation_reason = null'),
      /an operator was told that .* is revoked/,
    ],
    [
      'an entry was changed',
      (copy) => copy.rewriteEntry(2, (entry) => ({ ...entry, time: 1 })),
      /the log does not verify/,
    ],
    [
      'the sink lacks an entry',
      (copy) => changeSink(copy, (lines) => lines.toSpliced(3, 1)),
      /line 3 of the sink is not entry 3/,
    ],
    [
      'the sink has an entry twice',
      (copy) => changeSink(copy, (lines) => lines.toSpliced(3, 0, lines[3]!)),
      /line 4 of the sink is not entry 4/,
    ],
  ];
  for (const [name, change, found] of broken) {
    test(`is broken where ${name}`, async () => {
      const words = await foundAfter(change);
      assert.ok(
        words.some((each) => found.test(each)),
        words.join('\n'),
      );
    });
  }
});

async function changeSink(
  { directory }: TamperedAuthority,
  change: (lines: string[]) => string[],
): Promise<void> {
  const file = path.join(directory, 'log/events.ndjson');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, change(lines).join('\n'));
}
