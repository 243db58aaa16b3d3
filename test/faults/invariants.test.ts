import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { anyPorts, initAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { AcmeClients } from './acme-clients.ts';
import { surroundingsOf, withoutLimits } from './arena.ts';
import { Asking } from './asking.ts';
import { EstClients } from './est-clients.ts';
import { SqliteFile } from './database.ts';
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
    const surroundings = await surroundingsOf(cleanup);
    const files = await initAuthority(cleanup, (yaml) => withoutLimits(anyPorts(yaml), surroundings));
    victim = new Victim(files, new SqliteFile(path.join(files.directory, 'data/sallyport.db')), cleanup);
    await victim.start();
    const asking = new Asking([victim], witness, seeded('invariants'));
    const clients = new EstClients(asking, witness, surroundings.attestation.tpm);
    const [device, renewed] = await clients.devices(2);
    await clients.enroll(device!);
    await clients.enroll(renewed!);
    await clients.renew(renewed!);
    await clients.revoke(device!);
    const [attested] = await clients.attested(1);
    await clients.enrollAttested(attested!);
    const acme = new AcmeClients(asking, witness, surroundings.acme);
    const [owner, another, presuming] = await acme.devices(3);
    await acme.enroll(owner!);
    await acme.enroll(another!);
    await acme.presume(presuming!);
    await victim.stop('SIGTERM');
  });

  async function foundAfter(
    change: (copy: TamperedAuthority, witness: Witness) => Promise<void> | void,
  ): Promise<readonly string[]> {
    const copy = await TamperedAuthority.copyOf(victim.files, cleanup);
    const seen = new Witness();
    for (const [sha256, device] of witness.received) seen.received.set(sha256, device);
    for (const [order, sha256] of witness.orders) seen.orders.set(order, sha256);
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
      'evidence is spent for nothing',
      sql("update evidence set certificate = 'none'"),
      /evidence [0-9a-f]{64} is spent for a certificate that is not there/,
    ],
    [
      'evidence lives on',
      sql('update evidence set certificate = null'),
      /evidence [0-9a-f]{64} is not spent for its certificate/,
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
      'an account is there that nobody made',
      sql("update acme_account set id = 'x' where id = (select max(id) from acme_account)"),
      /account x is there, and no entry tells of it/,
    ],
    [
      'an order is gone',
      sql('delete from acme_order where id = (select max(id) from acme_order)'),
      /an entry tells of order .*, which is not there/,
    ],
    [
      'an order was made twice',
      (copy) => tellOfAnother(copy, 'new-order', 'acme_order'),
      /the log tells of order .* twice/,
    ],
    [
      'a challenge was answered twice',
      (copy) => tellOfAnother(copy, 'challenge', 'acme_authorization'),
      /the log tells of answered authorization .* twice/,
    ],
    [
      'a proof was not seen',
      sql("update acme_authorization set status = 'pending' where status = 'invalid'"),
      /an entry tells of ended authorization .*, which is not there/,
    ],
    [
      'nobody looks for a proof',
      sql("update acme_authorization set due_at = 1 where status = 'invalid'"),
      /waits for a look/,
    ],
    [
      'an order was finalized for nothing',
      sql(
        'update acme_order set certificate = null where id = (select max(id) from acme_order where certificate is not null)',
      ),
      /order .* was finalized, and has no certificate/,
    ],
    [
      'an order has another certificate than it was issued',
      sql(
        "update acme_order set certificate = (select sha256 from certificate where template = 'device' limit 1) where id = (select max(id) from acme_order where certificate is not null)",
      ),
      /order .* was issued another certificate, or none/,
    ],
    [
      'an order has the certificate of another device',
      sql("update certificate set device_id = 'device-1' where template = 'web'"),
      /order .* has the certificate of another device, or of another template/,
    ],
    [
      'an order was issued two certificates',
      (copy) => tellOfAnother(copy, 'finalize', 'acme_order where certificate is not null'),
      /order .* was issued more than one certificate/,
    ],
    [
      'a certificate was issued before its names were proven',
      (copy) => {
        const index = copy.indexOf(({ event }) => event === 'authorization.valid');
        copy.rewriteEntry(index, (entry) => ({ ...entry, event: 'authorization.invalid' }));
      },
      /order .* was issued a certificate before its names were proven/,
    ],
    [
      'a certificate is of no order',
      sql(
        `insert into certificate select 99999, 'other', issuer, '02', device_id, template, spki, names, not_before, not_after, null, null, null, der, null
         from certificate where template = 'web' limit 1`,
      ),
      /certificate other is of no order/,
    ],
    [
      'an order gave another certificate than it has',
      (_, seen) => {
        for (const order of seen.orders.keys()) seen.orders.set(order, 'ab'.repeat(32));
      },
      /order .* gave (?:ab)+, and has/,
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

/** What was done for one, by this operation, the log tells of another. */
function tellOfAnother(copy: TamperedAuthority, operation: string, table: string): void {
  const rows = copy.write((database) => database.prepare(`select id from ${table}`).all());
  const [one, other] = rows.map(({ id }) => String(id));
  const index = copy.indexOf((entry) => {
    const text = JSON.stringify(entry);
    return text.includes(`"operation":"${operation}"`) && text.includes(one!);
  });
  copy.rewriteEntry(
    index,
    (entry) => JSON.parse(JSON.stringify(entry).replaceAll(one!, other!)) as Record<string, unknown>,
  );
}

async function changeSink(
  { directory }: TamperedAuthority,
  change: (lines: string[]) => string[],
): Promise<void> {
  const file = path.join(directory, 'log/events.ndjson');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, change(lines).join('\n'));
}
