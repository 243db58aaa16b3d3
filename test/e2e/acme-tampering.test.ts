import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { sha256Hex } from '#enrollment';
import { parseJwk, thumbprint } from '#jose';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import {
  type AccountKey,
  accountKey,
  AcmeClient,
  flattened,
  type Json,
  orderCsr,
} from '../harness/acme-client.ts';
import { issue, readyOrder } from '../harness/acme-answers.ts';
import { serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertFound, verifyLog } from '../harness/log-findings.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';
import { TamperedAuthority } from '../harness/tampering.ts';

/** Each in a copy of its own of an authority with a history: rows that decide what the owner of an account gets, changed to what the log does not tell. */
describe('a state of ACME that was tampered with', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  /** Whose account is used. */
  let owner: AcmeClient;
  /** Of before its change. */
  let oldKey: AccountKey;
  /** Of the first entry of this act, operation or event about this. */
  let indexOf: (what: string, about: string) => number;
  /** By device. */
  const keys: Record<string, string> = {};

  /** A device with a key. */
  const given = async (device: string, more: Json = {}) => {
    await authority.admin.device(device);
    const made = await authority.eab({ device, ...more });
    keys[device] = made.keyId;
    return made;
  };
  const account = async (device: string, more: Json = {}) => {
    const client = await authority.client();
    const { status, text } = await client.register(await given(device, more));
    assert.equal(status, 201, text);
    return client;
  };
  const idOf = ({ kid }: AcmeClient) => kid!.slice(kid!.lastIndexOf('/') + 1);
  const changeKey = async (client: AcmeClient) => {
    const [key, url] = [accountKey(), client.directory['keyChange']!];
    const change = JSON.stringify({ account: client.kid, oldKey: client.key.jwk });
    const { status } = await client.post(url, flattened({ alg: key.alg, jwk: key.jwk, url }, change, key));
    assert.equal(status, 200);
    client.key = key;
  };

  before(async () => {
    authority = await acmeAuthority(cleanup);
    const { client: operator } = authority.admin;
    owner = await account('owner', { maximumCertificates: 5 });
    await issue(authority, owner, ['www.example.org']);
    oldKey = owner.key;
    await changeKey(owner);
    await issue(authority, owner, ['mail.example.org']);
    await given('waiting', { approve: false });
    await given('void');
    await operator.perform('voidExternalAccountKey', { id: keys['void']! });
    const left = await account('left');
    const { order } = await readyOrder(authority, left, ['left.example.org']);
    await left.post((order['authorizations'] as string[])[0]!, { status: 'deactivated' });
    await left.post(left.kid!, { status: 'deactivated' });
    const ended = await account('ended');
    await operator.perform('revokeAccount', { id: idOf(ended) });
    await account('retired');
    await operator.perform('retireDevice', { id: 'retired' });
    const erased = await account('erased');
    await issue(authority, erased, ['erased.example.org']);
    await changeKey(erased);
    await operator.perform('retireDevice', { id: 'erased' });
    await operator.perform('eraseDevice', { id: 'erased' });
    await authority.running.close();
    const about: Record<string, string> = {
      ...keys,
      'account of owner': idOf(owner),
      'account of left': idOf(left),
      'account of ended': idOf(ended),
    };
    const copy = await TamperedAuthority.copyOf(authority, cleanup);
    indexOf = (what, name) =>
      copy.indexOf((leaf) => {
        const { act, event, detail, observations } = leaf as {
          act?: string;
          event?: string;
          detail?: Json;
          observations?: { source: { operation: string } };
        };
        return (
          [act, event, observations?.source.operation].includes(what) &&
          Object.values(detail ?? {}).includes(about[name] ?? name)
        );
      });
  });

  const ofDevice = (device: string) => `device_id = '${device}'`;
  const accountOf = (device: string) =>
    `external_account_key = (select id from external_account_key where ${ofDevice(device)})`;
  const setKey = (device: string, change: string) =>
    `update external_account_key set ${change} where ${ofDevice(device)}`;
  const setAccount = (device: string, change: string) =>
    `update acme_account set ${change} where ${accountOf(device)}`;

  test('verifies as long as it was not', async () => {
    const { code, findings } = await verifyLog(authority);
    assert.deepEqual({ code, findings }, { code: 0, findings: [] });
  });

  type Expected = readonly [what: string, about: string] | null;
  for (const [what, sql, entry, words] of [
    [
      'a key for more templates',
      setKey('waiting', `templates = '["web","other","device"]'`),
      ['eab.create', 'waiting'],
      /^external account key K-\S+ is for other templates in the store$/,
    ],
    [
      'a key for whatever names the template admits',
      setKey('owner', 'names = null'),
      ['eab.create', 'owner'],
      /^external account key K-\S+ is for other names in the store$/,
    ],
    [
      'a key for more certificates',
      setKey('owner', 'maximum_certificates = 500'),
      ['eab.create', 'owner'],
      /^external account key K-\S+ is for another number of certificates in the store$/,
    ],
    [
      'an approval that no operator gave',
      setKey('waiting', `approved_by = 'admin'`),
      ['eab.create', 'waiting'],
      /^external account key K-\S+ has another approval in the store$/,
    ],
    [
      'a key that waits for longer',
      setKey('waiting', 'expires_at = expires_at + 1'),
      ['eab.create', 'waiting'],
      /^external account key K-\S+ has another lifetime in the store$/,
    ],
    [
      'a key for another device',
      setKey('waiting', `device_id = 'owner'`),
      ['eab.create', 'waiting'],
      /^external account key K-\S+ is for another device in the store$/,
    ],
    [
      'a void key that lives again',
      setKey('void', `state = 'live'`),
      ['eab.void', 'void'],
      /^external account key K-\S+ was made void, and is live in the store$/,
    ],
    [
      'a spent key that lives again',
      setKey('owner', `state = 'live'`),
      ['new-account', 'owner'],
      /^external account key K-\S+ was spent, and is live in the store$/,
    ],
    [
      'a key of a retired device that counts again',
      setKey('retired', `state = 'spent'`),
      ['eab.create', 'retired'],
      /^external account key K-\S+ is of a retired device, and is spent in the store$/,
    ],
    [
      'a key that was put in',
      `insert into external_account_key select 'K-1', 'owner', sealed, sealing_key, templates, null, null, 'admin', 'live', created_at, expires_at, created_by
        from external_account_key where ${ofDevice('waiting')}`,
      null,
      /^the store has 7 external account keys, of which the log tells of 6$/,
    ],
    [
      'a key that is gone',
      `delete from external_account_key where ${ofDevice('waiting')}`,
      ['eab.create', 'waiting'],
      /^external account key K-\S+ is not in the store$/,
    ],
    [
      'an account with the digest of another key',
      setAccount('owner', `thumbprint = 'nobody'`),
      ['new-account', 'owner'],
      /^account \S+ has a key in the store that is not of its thumbprint$/,
    ],
    [
      'an account that was put in',
      `insert into acme_account select 'a', id, device_id, 'nobody', '{}', 'nobody', '[]', 'valid', 0 from external_account_key where ${ofDevice('waiting')}`,
      null,
      /^the store has 5 accounts, of which the log tells of 4$/,
    ],
    [
      'an account of another key',
      setAccount(
        'owner',
        `external_account_key = (select id from external_account_key where ${ofDevice('waiting')})`,
      ),
      ['new-account', 'owner'],
      /^account \S+ is of another external account key in the store$/,
    ],
    [
      'a deactivated account that is valid again',
      setAccount('left', `status = 'valid'`),
      ['account', 'account of left'],
      /^account \S+ was deactivated, and is valid in the store$/,
    ],
    [
      'a revoked account that is valid again',
      setAccount('ended', `status = 'valid'`),
      ['account.revoke', 'account of ended'],
      /^account \S+ was revoked, and is valid in the store$/,
    ],
    [
      'an authorization that was put in',
      `insert into acme_authorization select 'z', account, template, type, 'bank.example.org', wildcard, token, status, method, request, null, 0, null, validated_at, expires_at, null
        from acme_authorization where value = 'www.example.org'`,
      null,
      /^the store has 3 valid authorizations, of which the log tells of 2$/,
    ],
    [
      'an authorization for another name',
      `update acme_authorization set value = 'bank.example.org' where value = 'www.example.org'`,
      ['authorization.valid', 'account of owner'],
      /^authorization \S+ is for another identifier in the store$/,
    ],
    [
      'an authorization of another account',
      `update acme_authorization set account = (select id from acme_account where ${accountOf('ended')}) where value = 'www.example.org'`,
      ['authorization.valid', 'account of owner'],
      /^authorization \S+ is of another account in the store$/,
    ],
    [
      'a deactivated authorization that is valid again',
      `update acme_authorization set status = 'valid' where status = 'deactivated'`,
      ['authorization', 'account of left'],
      /^authorization \S+ was deactivated, and is valid in the store$/,
    ],
  ] as const satisfies readonly (readonly [string, string, Expected, RegExp])[]) {
    test(`is found by ${what}`, async (t) => {
      const tampered = await TamperedAuthority.copyOf(authority, t);
      const changes = tampered.write((database) => database.prepare(sql).run().changes);
      assert.equal(changes, 1);
      await assertFound(tampered, [[entry === null ? null : indexOf(entry[0], entry[1]), words]]);
    });
  }

  for (const [what, device, keyOf, entry, words] of [
    [
      'the key that was changed',
      'owner',
      () => oldKey,
      ['key-change', 'account of owner'],
      /^account \S+ has another key in the store than it was changed to$/,
    ],
    [
      'the key of somebody else',
      'ended',
      accountKey,
      ['new-account', 'ended'],
      /^account \S+ has another key in the store than it was made with$/,
    ],
  ] as const) {
    test(`is found by an account with ${what}`, async (t) => {
      const tampered = await TamperedAuthority.copyOf(authority, t);
      const jwk = parseJwk(keyOf().jwk);
      tampered.write((database) =>
        database
          .prepare(setAccount(device, 'thumbprint = ?, jwk = ?, spki = ?'))
          .run(thumbprint(jwk), jwk.canonical, sha256Hex(jwk.spki)),
      );
      await assertFound(tampered, [[indexOf(entry[0], entry[1]), words]]);
    });
  }

  test('is found by a certificate for what was put in, and away again', async (t) => {
    const tampered = await TamperedAuthority.copyOf(authority, t);
    tampered.write((database) => {
      database.exec(`create table kept as select names from external_account_key where ${ofDevice('owner')}`);
      database.exec(setKey('owner', `names = '["127.0.0.1","www.example.org"]'`));
    });
    const node = await serveAuthority({
      ...authority,
      ...tampered,
      configuration: tampered.configuration,
      directory: tampered.directory,
    });
    const { origin } = new URL(node.est);
    const client = await AcmeClient.at(`${origin}/acme/web/directory`, node.trustPem, owner.key);
    t.after(() => client.close());
    client.kid = owner.kid!.replace(authority.base, origin);
    const { body: order } = await client.order(['www.example.org']);
    const done = await client.finalize(order, orderCsr(['www.example.org']));
    assert.equal(done.body['status'], 'valid', done.text);
    await node.stop();
    tampered.write((database) => {
      database.exec(setKey('owner', 'names = (select names from kept)'));
      database.exec('drop table kept');
    });
    const issued = tampered.write((database) =>
      Number(database.prepare('select max(log_idx) as idx from certificate').get()!['idx']),
    );
    await assertFound(tampered, [
      [issued, /^external account key K-\S+ gave a certificate, and is for other names in the store$/],
    ]);
  });

  test('that was restored verifies, and is found by what the restore ended', async (t) => {
    const copy = await TamperedAuthority.copyOf(authority, t);
    const files = { ...authority, configuration: copy.configuration, directory: copy.directory };
    const backup = await backUp(files, path.join(copy.directory, 'backup.db'));
    await loseDatabase(files, null);
    const { origin } = await restored(files, '--from', backup);
    await nameLog(files, origin);
    assert.deepEqual((await verifyLog(copy)).findings, []);
    const voided =
      /^sallyport\/log: external account key K-\S+ was made void by a restore, and is spent in the store$/;
    const over = /^sallyport\/log: authorization \S+ was ended by a restore, and is valid in the store$/;
    copy.write((database) => {
      database.exec(setKey('owner', `state = 'spent'`));
      database.exec(`update acme_authorization set status = 'valid' where value = 'www.example.org'`);
    });
    await assertFound(copy, [
      [indexOf('eab.create', 'owner'), voided],
      [indexOf('authorization.valid', 'account of owner'), over],
    ]);
  });
});
