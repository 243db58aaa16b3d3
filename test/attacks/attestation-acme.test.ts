import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { sha256Hex } from '#enrollment';
import type { GeneralName } from '#x509';
import { type AcmeAnswer, AcmeClient, type Json } from '../harness/acme-client.ts';
import { assertObjected, assertRejected, typeOf } from '../harness/acme-answers.ts';
import { attestingAuthority, withDeviceAttest } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, type CsrSettings, makeCsr, makeKey } from '../harness/csr.ts';
import {
  type Attesting,
  assertNotAccepted,
  attest as attestOrder,
  challengeOf,
  leafOfOrder,
  notForThis,
  ordered,
  ready as readyOrder,
} from '../harness/device-order.ts';
import { entriesOf } from '../harness/entries.ts';
import { hardwareModuleName } from '../harness/pki.ts';
import { keyAttributes, permanentIdentifier, type PlayedTpm } from '../harness/played-tpm.ts';
import { verifyLog } from '../harness/log-findings.ts';

type Authority = Awaited<ReturnType<typeof attestingAuthority>>;
const derOfSerial = (hex: string) => {
  const octets = Buffer.from(hex, 'hex');
  return octets[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
};
/** Device orders of ACME (draft-ietf-acme-device-attest): an account and its key alone get nothing. */
describe('evidence of a TPM in an order of ACME', () => {
  const cleanup = suiteCleanup();
  let authority: Authority;
  before(async () => {
    authority = await attestingAuthority(cleanup, { edit: withDeviceAttest });
  });

  const clientOf = async (device: string) => {
    await authority.admin.device(device, { deviceClass: 'attested-laptop' });
    const eab = await authority.admin.client.perform('createExternalAccountKey', {
      device,
      templates: ['hardware'],
      approve: false,
    });
    const base = new URL(authority.est).origin;
    const client = await AcmeClient.at(`${base}/acme/hardware/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    const { status, text } = await client.register(eab);
    assert.equal(status, 201, text);
    return client;
  };
  const attest = (
    client: AcmeClient,
    order: Json,
    device: string,
    { tpm = authority.tpm(device), ...asked }: Attesting & { readonly tpm?: PlayedTpm } = {},
  ) => attestOrder(client, order, tpm, asked);
  const csrOf = (key: ClientKey, more: Partial<CsrSettings> = {}) => makeCsr({ key, ...more });
  const ready = (client: AcmeClient, device: string, asked: { readonly tpm?: PlayedTpm } = {}) =>
    readyOrder(client, device, asked.tpm ?? authority.tpm(device));
  /** The challenge failed, the client is told no more, and the log says why. */
  const assertFailed = async (answer: AcmeAnswer, words: RegExp, reason = '') => {
    assertNotAccepted(answer, reason);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)!['detail']), words);
  };

  test('gets a certificate for the key that was attested, named by the inventory, and renews with evidence again', async () => {
    const client = await clientOf('ada');
    const tpm = authority.tpm('ada');
    for (const names of [[], [permanentIdentifier('ada')], []]) {
      const { order, key } = await ready(client, 'ada', { tpm });
      const csr = csrOf(key, names.length === 0 ? {} : { subjectAltName: names });
      const leaf = await leafOfOrder(client, await client.finalize(order, csr));
      assert.deepEqual(Buffer.from(leaf.spki), Buffer.from(key.spki));
      assert.deepEqual(
        leaf.subject.flat().map(({ value }) => value),
        ['ada'],
      );
    }
    const { entries } = { entries: await entriesOf(authority) };
    const issued = entries.filter(({ outcome }) => outcome === 'issued');
    assert.deepEqual(issued.map(({ action }) => action).slice(0, 3), ['enroll', 'renew', 'renew']);
  });

  test('renews whoever of its accounts orders, and however it is named', async () => {
    const client = await clientOf('abby');
    const first = await ready(client, 'abby');
    await leafOfOrder(client, await client.finalize(first.order, csrOf(first.key)));
    const eab = await authority.admin.client.perform('createExternalAccountKey', {
      device: 'abby',
      templates: ['hardware'],
      approve: false,
    });
    const second = await AcmeClient.at(
      `${new URL(authority.est).origin}/acme/hardware/directory`,
      authority.trustPem,
    );
    cleanup.after(() => second.close());
    assert.equal((await second.register(eab)).status, 201);
    const again = await ready(second, 'abby');
    await leafOfOrder(second, await second.finalize(again.order, csrOf(again.key)));
    const issued = (await entriesOf(authority)).filter(({ outcome }) => outcome === 'issued');
    assert.equal(issued.at(-1)!['action'], 'renew');
  });

  test('replaces a certificate by its identifier of RFC 9773', async () => {
    const client = await clientOf('aida');
    const { order, key } = await ready(client, 'aida');
    const leaf = await leafOfOrder(client, await client.finalize(order, csrOf(key)));
    const identifier = [leaf.authorityKeyIdentifier!, derOfSerial(leaf.serialNumber)]
      .map((octets) => Buffer.from(octets).toString('base64url'))
      .join('.');
    const replacing = await client.order([{ type: 'permanent-identifier', value: 'aida' }], {
      replaces: identifier,
    });
    assert.equal(replacing.status, 201, replacing.text);
  });

  test('of another device, or of one that nobody names', async () => {
    const client = await clientOf('bea');
    for (const [tpm, words] of [
      [authority.tpm('ada'), /it is of ada, and id of device bea is bea/],
      [authority.tpm(null), /names no permanentIdentifier/],
    ] as const) {
      const order = await ordered(client, 'bea');
      await assertFailed((await attest(client, order, 'bea', { tpm })).answer, words);
      assert.equal((await client.post(order['finalize'] as string, { csr: 'AA' })).status, 403);
    }
  });

  test('of the own device, in an order of another one', async () => {
    const client = await clientOf('cleo');
    const order = await ordered(client, 'ada');
    await assertFailed((await attest(client, order, 'cleo')).answer, /not of permanent-identifier ada/);
    // And of the other one: the account is not its.
    const { answer } = await attest(client, await ordered(client, 'ada'), 'ada');
    await assertFailed(answer, /it is of ada, and id of device cleo is cleo/);
  });

  test('for another challenge, another account, the token alone, or nothing', async () => {
    const [client, other] = [await clientOf('dora'), await clientOf('dolly')];
    const elsewhere = await challengeOf(client, await ordered(client, 'dora'));
    for (const signed of [
      () => client.keyAuthorization(elsewhere.token),
      (_: string, token: string) => other.keyAuthorization(token),
      (_: string, token: string) => token,
      () => '',
    ]) {
      const order = await ordered(client, 'dora');
      await assertFailed(
        (await attest(client, order, 'dora', { signed })).answer,
        /hold the nonce/,
        notForThis,
      );
    }
  });

  test('that came before', async () => {
    const client = await clientOf('ella');
    const { order, key } = await ready(client, 'ella');
    await leafOfOrder(client, await client.finalize(order, csrOf(key)));
    // Its challenge was answered, whatever is sent there now.
    const { answer } = await attest(client, order, 'ella', { tpm: authority.tpm('ada') });
    assert.equal(answer.body['status'], 'valid', answer.text);
    const { attObj } = await attest(client, await ordered(client, 'ella'), 'ella');
    const again = await challengeOf(client, await ordered(client, 'ella'));
    await assertFailed(await client.post(again.url, { attObj }), /hold the nonce/, notForThis);
  });

  test('of another key than the request has', async () => {
    const client = await clientOf('faye');
    const { order } = await ready(client, 'faye');
    await assertObjected(
      authority,
      await client.finalize(order, csrOf(makeKey())),
      'badAttestationStatement',
      ['attestation', 'attestation-key', 'first-enrollment'],
    );
  });

  test('with other names beside: what the evidence is not of is in no certificate', async () => {
    const client = await clientOf('gwen');
    const { order, key } = await ready(client, 'gwen');
    const other: readonly GeneralName[][] = [
      [permanentIdentifier('ada')],
      [permanentIdentifier('gwen', '1.3.6.1.4.1.32473.1')],
      [permanentIdentifier('gwen'), permanentIdentifier('ada')],
      [hardwareModuleName('gwen')],
      [{ kind: 'dns', value: 'gwen.example.org' }],
    ];
    for (const subjectAltName of other) {
      const answer = await client.finalize(order, csrOf(key, { subjectAltName }));
      await assertObjected(authority, answer, 'badCSR', ['request-subject-alt-name']);
    }
    const subject = [{ type: 'commonName', value: 'ada' }];
    await assertObjected(authority, await client.finalize(order, csrOf(key, { subject })), 'badCSR', [
      'request-subject',
    ]);
    await leafOfOrder(client, await client.finalize(order, csrOf(key)));
  });

  test('of a key that can leave its TPM', async () => {
    const client = await clientOf('hild');
    const attributes = keyAttributes.exportable;
    await assertFailed(
      (await attest(client, await ordered(client, 'hild'), 'hild', { attributes })).answer,
      /tpm-/,
      ': tpm-fixed-tpm',
    );
  });

  test('that says more than is recorded', async () => {
    const client = await clientOf('lara');
    // Each is six octets in JSON.
    const tpm = authority.tpm('lara', { model: '\u0001'.repeat(2000) });
    const { answer } = await attest(client, await ordered(client, 'lara'), 'lara', { tpm, beside: 8 });
    await assertFailed(answer, /too-large: it says 2\d{4} octets, and 20480 are recorded/, ': too-large');
  });

  test('that is none', async () => {
    const client = await clientOf('ines');
    const otherFormat = Buffer.from('a263666d74667061636b65646761747453746d74a0', 'hex').toString(
      'base64url',
    );
    for (const [attObj, reason] of [
      ['AA', ': malformed'],
      [otherFormat, ''],
    ] as const) {
      const { url } = await challengeOf(client, await ordered(client, 'ines'));
      await assertFailed(await client.post(url, { attObj }), /malformed|format/, reason);
    }
    const { url } = await challengeOf(client, await ordered(client, 'ines'));
    await assertRejected(authority, await client.post(url, {}), 'malformed', /attObj must be a string/);
    await assertRejected(authority, await client.post(url, { attObj: '=' }), 'malformed', /attObj/);
  });

  test('of a device that was suspended or whose account ended meanwhile', async () => {
    const client = await clientOf('jana');
    const { order, key } = await ready(client, 'jana');
    await authority.admin.client.perform('suspendDevice', { id: 'jana' });
    await assertObjected(authority, await client.finalize(order, csrOf(key)), 'unauthorized', [
      'device-state',
    ]);
  });

  test('identifiers: names, several, malformed ones', async () => {
    const client = await clientOf('kate');
    for (const [names, type] of [
      [['kate.example.org'], 'unsupportedIdentifier'],
      [
        [
          { type: 'permanent-identifier', value: 'kate' },
          { type: 'permanent-identifier', value: 'ada' },
        ],
        'malformed',
      ],
      [[{ type: 'permanent-identifier', value: '' }], 'malformed'],
      [[{ type: 'permanent-identifier', value: '/1.2.3' }], 'malformed'],
      [[{ type: 'permanent-identifier', value: 'kate/x' }], 'malformed'],
      [[{ type: 'hardware-module', value: 'kate' }], 'malformed'],
      [[], 'malformed'],
    ] as const) {
      const answer = await client.order(names);
      assert.equal(typeOf(answer.body), type, JSON.stringify(names));
    }
  });

  test('is erased with its device', async () => {
    const client = await clientOf('vera');
    const { order, key } = await ready(client, 'vera');
    await leafOfOrder(client, await client.finalize(order, csrOf(key)));
    await authority.admin.client.perform('retireDevice', { id: 'vera' });
    await authority.admin.client.perform('eraseDevice', { id: 'vera' });
    const left = (await entriesOf(authority)).filter((entry) => JSON.stringify(entry).includes('vera'));
    assert.deepEqual(left, []);
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });

  test('that somebody has changed in the database shows in the log', async () => {
    const client = await clientOf('eva');
    const { order } = await ready(client, 'eva');
    const stolen = makeKey();
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    const rows = database.prepare('select id, evidence from acme_authorization where value = ?').all('eva');
    const { id, evidence } = rows.at(-1) as { id: string; evidence: string };
    const examination = JSON.parse(evidence) as { statement: { spki: string } };
    examination.statement.spki = sha256Hex(stolen.spki);
    database
      .prepare('update acme_authorization set evidence = ? where id = ?')
      .run(JSON.stringify(examination), id);
    database.close();
    await leafOfOrder(client, await client.finalize(order, csrOf(stolen)));
    const { ok, findings } = await verifyLog(authority);
    assert.equal(ok, false);
    assert.match(JSON.stringify(findings), /whose evidence the log tells of otherwise/);
  });
});
