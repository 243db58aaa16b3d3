import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type AuthorityFiles, anyPorts, initAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertFound, verifyLog } from '../harness/log-findings.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Each in a copy of its own of an authority with a history: rows that decide who gets a certificate, changed to what the log does not tell. */
describe('a state that was tampered with', () => {
  const cleanup = suiteCleanup();
  let original: AuthorityFiles;
  let laptop1: TestDevice;
  let laptop2: TestDevice;
  /** Of entries: the issuance for laptop-2 and its suspension, a secret that was created and voided. */
  let indexes: Readonly<Record<'issued' | 'created' | 'voided' | 'suspended', number>>;
  before(async () => {
    original = await initAuthority(cleanup, anyPorts);
    const node = await serveAuthority(original);
    const { client } = node.admin;
    laptop1 = await TestDevice.enrolled(node, 'laptop-1');
    laptop2 = await TestDevice.enrolled(node, 'laptop-2');
    const [certificate] = (await client.perform('listCertificates', { device: 'laptop-1' })).items;
    await client.perform('revokeCertificate', { id: certificate!.sha256 });
    const [second] = (await client.perform('listCertificates', { device: 'laptop-2' })).items;
    const secret = await client.perform('createSecret', {
      device: 'laptop-1',
      template: 'device',
      subject: [{ type: 'commonName', value: 'laptop-1' }],
      subjectAltName: [
        { kind: 'dns', value: 'laptop-1.example.org' },
        { kind: 'ip', value: '192.0.2.1' },
      ],
    });
    const voided = await client.perform('revokeSecret', { id: secret.id });
    const suspended = await client.perform('suspendDevice', { id: 'laptop-2' });
    indexes = {
      issued: second!.logIndex,
      created: secret.logIndex,
      voided: voided.logIndex,
      suspended: suspended.logIndex,
    };
    await node.stop();
  });

  test('verifies as long as it was not', async () => {
    const { code, findings } = await verifyLog(original);
    assert.deepEqual({ code, findings }, { code: 0, findings: [] });
  });

  /** What was put back and not made use of yet. */
  for (const [what, sql, entries, words] of [
    [
      'a spent secret that lives again',
      `update secret set state = 'live', spki = null, names = null, certificate = null where device_id = 'laptop-2'`,
      ['issued'],
      /secret \S+ gave a certificate, and is live in the store/,
    ],
    [
      'a secret that was spent for another certificate',
      `update secret set certificate = 'ab' where device_id = 'laptop-2'`,
      ['issued'],
      /secret \S+ gave a certificate, and another one by the store/,
    ],
    [
      'a voided secret that lives again',
      `update secret set state = 'live' where state = 'void'`,
      ['voided'],
      /secret \S+ was voided, and is live in the store/,
    ],
    [
      'a secret for another device',
      `update secret set device_id = 'laptop-2' where state = 'void'`,
      ['created'],
      /secret \S+ is for another device in the store/,
    ],
    [
      'a secret for another template',
      `update secret set template = 'server' where state = 'void'`,
      ['created'],
      /secret \S+ is for another template in the store/,
    ],
    [
      'a secret for other names',
      `update secret set expected = '{"subject":null,"subjectAltName":[]}' where state = 'void'`,
      ['created'],
      /secret \S+ expects other names in the store/,
    ],
    [
      'a secret that lives longer',
      `update secret set expires_at = expires_at + 1 where state = 'void'`,
      ['created'],
      /secret \S+ has another lifetime in the store/,
    ],
    [
      'a secret that is gone',
      `delete from secret where state = 'void'`,
      ['created', 'voided'],
      /secret \S+ is not in the store/,
    ],
    [
      'a secret that was put in',
      `insert into secret select 'S-1', zeroblob(32), mac_key_id, device_id, template, null, 'live', null, null, null, created_at, expires_at, created_by
        from secret limit 1`,
      [null],
      /the store has 4 secrets, of which the log tells of 3/,
    ],
    [
      'a used approval that is open again',
      `update approval set state = 'open', intent_id = null where device_id = 'laptop-2'`,
      ['issued'],
      /approval \S+ gave a certificate, and is open in the store/,
    ],
    [
      'an approval that was used for another request',
      `update approval set intent_id = 'R-1' where device_id = 'laptop-2'`,
      ['issued'],
      /approval \S+ gave a certificate, and another one by the store/,
    ],
    [
      'a suspended device that is active again',
      `update device set state = 'active' where id = 'laptop-2'`,
      ['suspended'],
      /its device was suspended and not resumed, and is active in the store/,
    ],
  ] as const) {
    test(`is found by ${what}`, async (t) => {
      const tampered = await TamperedAuthority.copyOf(original, t);
      tampered.write((database) => database.exec(sql));
      await assertFound(
        tampered,
        entries.map((name) => [name === null ? null : indexes[name], words] as const),
      );
    });
  }

  test('is found by certificates for what was put back, and away again', async (t) => {
    const tampered = await TamperedAuthority.copyOf(original, t);
    tampered.write((database) =>
      database.exec(`update secret set state = 'live', spki = null, names = null, certificate = null where device_id = 'laptop-2';
        update approval set state = 'open', intent_id = null where device_id = 'laptop-2';
        update device set state = 'active';
        create table kept as select sha256, revoked_at, revocation_reason from certificate;
        update certificate set revoked_at = null, revocation_reason = null`),
    );
    const node = await serveAuthority({
      ...original,
      configuration: tampered.configuration,
      directory: tampered.directory,
    });
    for (const device of [laptop1, laptop2]) device.moveTo(node);
    assert.equal((await laptop2.enroll()).status, 200);
    assert.equal((await laptop1.renew()).status, 200);
    await node.stop();
    const [second, renewed] = tampered
      .write((database) => {
        database.exec(`update device set state = 'suspended' where id = 'laptop-2';
        update certificate set (revoked_at, revocation_reason) = (select revoked_at, revocation_reason from kept where sha256 = certificate.sha256);
        drop table kept`);
        return database.prepare('select log_idx from certificate order by log_idx desc limit 2').all();
      })
      .map(({ log_idx }) => Number(log_idx))
      .toReversed();
    await assertFound(tampered, [
      [indexes.issued, /secret \S+ gave a certificate, and another one by the store/],
      [indexes.issued, /approval \S+ gave a certificate, and another one by the store/],
      [second!, /a certificate was issued for a device that was suspended then/],
      [renewed!, /a certificate was renewed that had been revoked/],
    ]);
  });
});
