import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { AcmeClient } from '../harness/acme-client.ts';
import { assertRejected, typeOf } from '../harness/acme-answers.ts';
import { attestingAuthority, withDeviceAttest, type Yaml } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeCsr, makeKey } from '../harness/csr.ts';
import {
  assertNotAccepted,
  attest,
  challengeOf,
  leafOfOrder,
  notForThis,
  ordered,
  ready,
} from '../harness/device-order.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestCa } from '../harness/pki.ts';
import { PlayedTpm } from '../harness/played-tpm.ts';

type Authority = Awaited<ReturnType<typeof attestingAuthority>>;

/** Clients of Apple and of step have no external account key: whose their accounts are, evidence says (docs/attestation.md). */
describe('an account without an external account key', () => {
  const cleanup = suiteCleanup();
  let authority: Authority;
  before(async () => {
    authority = await attestingAuthority(cleanup, { edit: withOptionalKey });
  });

  const clientAt = async (template: string) => {
    const base = new URL(authority.est).origin;
    const client = await AcmeClient.at(`${base}/acme/${template}/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    return client;
  };
  const registered = async () => {
    const client = await clientAt('hardware');
    const { status, text } = await client.register(null);
    assert.equal(status, 201, text);
    return client;
  };
  const device = (id: string, deviceClass = 'attested-laptop') => authority.admin.device(id, { deviceClass });
  const ownerOf = async (client: AcmeClient) => {
    const { items } = await authority.admin.client.perform('listAccounts', {});
    return items.find(({ id }) => client.kid!.endsWith(`/${id}`))!.device;
  };
  const enroll = async (client: AcmeClient, id: string, tpm = authority.tpm(id)) => {
    const { order, key } = await ready(client, id, tpm);
    return leafOfOrder(client, await client.finalize(order, makeCsr({ key })));
  };
  /** The challenge failed, the log says why, and the account is nobody's. */
  const assertNobodys = async (
    client: AcmeClient,
    answer: Parameters<typeof assertNotAccepted>[0],
    words: RegExp,
    reason = '',
  ) => {
    assertNotAccepted(answer, reason);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)!['detail']), words);
    assert.equal(await ownerOf(client), null);
  };

  test('is nobody’s until evidence names a device, whose it is from then on', async () => {
    await device('ada');
    const client = await registered();
    assert.equal(client.meta['externalAccountRequired'], false);
    assert.equal(await ownerOf(client), null);
    const leaf = await enroll(client, 'ada');
    assert.deepEqual(
      leaf.subject.flat().map(({ value }) => value),
      ['ada'],
    );
    assert.equal(await ownerOf(client), 'ada');
    const issued = (await entriesOf(authority)).filter(({ outcome }) => outcome === 'issued');
    assert.deepEqual(issued.map(({ action }) => action).slice(-1), ['enroll']);
  });

  test('renews by evidence, as another account of the device does', async () => {
    await device('bea');
    const tpm = authority.tpm('bea');
    const client = await registered();
    await enroll(client, 'bea', tpm);
    await enroll(client, 'bea', tpm);
    await enroll(await registered(), 'bea', tpm);
    const issued = (await entriesOf(authority)).filter(({ outcome }) => outcome === 'issued');
    assert.deepEqual(issued.map(({ action }) => action).slice(-3), ['enroll', 'renew', 'renew']);
  });

  test('is no other device’s afterwards', async () => {
    await device('cleo');
    await device('cora');
    const client = await registered();
    await enroll(client, 'cleo');
    const { answer } = await attest(client, await ordered(client, 'cora'), authority.tpm('cora'));
    assertNotAccepted(answer);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)), /it is of cora, and id of device cleo is cleo/);
    assert.equal(await ownerOf(client), 'cleo');
  });

  test('is nobody’s by evidence of what is not in the inventory, or of another class', async () => {
    await device('dora', 'laptop');
    const client = await registered();
    for (const id of ['nobody', 'dora']) {
      const { answer } = await attest(client, await ordered(client, id), authority.tpm(id));
      await assertNobodys(client, answer, /names no one device of the inventory/);
    }
    const { answer } = await attest(client, await ordered(client, 'x'), authority.tpm(null));
    await assertNobodys(client, answer, /names no one device of the inventory/);
  });

  test('is nobody’s by evidence that nobody vouches for, of another order, or that does not parse', async () => {
    await device('ella');
    const client = await registered();
    const forged = PlayedTpm.certifiedBy(TestCa.root('Attestation CA'), 'ella');
    const untrusted = await attest(client, await ordered(client, 'ella'), forged);
    await assertNobodys(client, untrusted.answer, /certification-path/);
    // What it claims is in nobody's record, and is not kept.
    const told = (await entriesOf(authority)).slice(-2);
    assert.deepEqual(
      told.map(({ detail, evidence }) => [(detail as { device?: string }).device, evidence ?? null]),
      [
        [undefined, null],
        [undefined, null],
      ],
    );
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), {
      readOnly: true,
    });
    const kept = database.prepare(
      "select count(*) as rows from acme_authorization where evidence like '%ella%'",
    );
    assert.equal(kept.get()?.['rows'], 0);
    database.close();
    const elsewhere = await attest(client, await ordered(client, 'elsa'), authority.tpm('ella'));
    await assertNobodys(client, elsewhere.answer, /not of permanent-identifier elsa/);
    const { url } = await challengeOf(client, await ordered(client, 'ella'));
    await assertNobodys(client, await client.post(url, { attObj: 'AA' }), /malformed/, ': malformed');
  });

  test('is nobody’s by evidence that was made for another account', async () => {
    await device('faye');
    const [client, other] = [await registered(), await registered()];
    for (const signed of [
      (_: string, token: string) => other.keyAuthorization(token),
      (_: string, token: string) => token,
    ]) {
      const order = await ordered(client, 'faye');
      const { answer } = await attest(client, order, authority.tpm('faye'), { signed });
      await assertNobodys(client, answer, /hold the nonce/, notForThis);
    }
  });

  test('has a certificate for no key but that of the evidence', async () => {
    await device('gwen');
    const client = await registered();
    const { order } = await ready(client, 'gwen', authority.tpm('gwen'));
    const answer = await client.finalize(order, makeCsr({ key: makeKey() }));
    assert.equal(typeOf(answer.body), 'unauthorized');
    const entry = (await entriesOf(authority)).findLast(({ outcome }) => outcome === 'refused')!;
    const { objections } = entry['verdict'] as { objections: { control: string }[] };
    assert.ok(objections.some(({ control }) => control === 'attestation-key'));
    // Without evidence that holds it is no account that authenticates anybody.
    assert.ok(objections.some(({ control }) => control === 'account-valid'));
  });

  test('is taken where the template says so, and orders by no other', async () => {
    const keyed = await clientAt('keyed');
    assert.equal(keyed.meta['externalAccountRequired'], true);
    await assertRejected(authority, await keyed.register(null), 'externalAccountRequired', /needs/);
    const client = await registered();
    const order = { identifiers: [{ type: 'permanent-identifier', value: 'ada' }], profile: 'keyed' };
    keyed.kid = client.kid;
    keyed.key = client.key;
    const answer = await keyed.post(keyed.directory['newOrder']!, order);
    await assertRejected(authority, answer, 'unauthorized', /was not given template keyed/);
  });

  test('has few open orders', async () => {
    const client = await registered();
    for (let count = 0; count < 10; count += 1) await ordered(client, 'hild');
    const answer = await client.order([{ type: 'permanent-identifier', value: 'hild' }]);
    await assertRejected(authority, answer, 'rateLimited', /10 open orders/);
  });

  test('is bound to the one device whose evidence comes first, of two at once', async () => {
    await device('ines');
    await device('iris');
    const client = await registered();
    const orders = await Promise.all(['ines', 'iris'].map((id) => ordered(client, id)));
    const twins = [client.twin(authority.trustPem), client.twin(authority.trustPem)];
    for (const twin of twins) cleanup.after(() => twin.close());
    const answers = await Promise.all(
      ['ines', 'iris'].map((id, at) => attest(twins[at]!, orders[at]!, authority.tpm(id))),
    );
    const states = answers.map(({ answer }) => answer.body['status']);
    assert.equal(states.filter((state) => state === 'valid').length, 1, String(states));
    const first = ['ines', 'iris'][answers.findIndex(({ answer }) => answer.body['status'] === 'valid')];
    assert.equal(await ownerOf(client), first);
    const other = first === 'ines' ? 'iris' : 'ines';
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)), new RegExp(`it is of ${other}, and id of device ${first}`));
  });

  test('two orders for its device at once are both proven', async () => {
    await device('jana');
    const client = await registered();
    const orders = [await ordered(client, 'jana'), await ordered(client, 'jana')];
    const tpm = authority.tpm('jana');
    const twins = orders.map(() => client.twin(authority.trustPem));
    for (const twin of twins) cleanup.after(() => twin.close());
    const answers = await Promise.all(orders.map((order, at) => attest(twins[at]!, order, tpm)));
    assert.deepEqual(
      answers.map(({ answer }) => answer.body['status']),
      ['valid', 'valid'],
    );
  });

  test('is no retired device’s', async () => {
    await device('kate');
    await authority.admin.client.perform('retireDevice', { id: 'kate' });
    const client = await registered();
    const { answer } = await attest(client, await ordered(client, 'kate'), authority.tpm('kate'));
    await assertNobodys(client, answer, /names no one device of the inventory/);
  });

  test('that another account’s certificate is there is no renewal where an operator looks at each enrollment', async () => {
    await device('lara', 'looked-at');
    const tpm = authority.tpm('lara');
    const held = async (client: AcmeClient, controls: readonly string[]) => {
      const { order, key } = await ready(client, 'lara', tpm);
      const answer = await client.finalize(order, makeCsr({ key }));
      assert.equal(answer.body['status'], 'processing', answer.text);
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      const waiting = items.find((each) => each.device === 'lara')!;
      assert.deepEqual(waiting.objections.map(({ control }) => control).toSorted(), controls);
      return { order: answer.headers['location']!, id: waiting.id };
    };
    const client = await registered();
    const first = await held(client, ['class-approval']);
    await authority.admin.client.perform('approveRequest', { id: first.id, lifts: ['class-approval'] });
    assert.equal((await client.post(first.order, null)).body['status'], 'valid');
    await held(await registered(), ['class-approval', 'enrollment-again']);
    // Its own it renews.
    const { order, key } = await ready(client, 'lara', tpm);
    await leafOfOrder(client, await client.finalize(order, makeCsr({ key })));
  });

  test('ends with its device, and is erased with all that it asked for before it was the device’s', async () => {
    await device('vera');
    const client = await registered();
    await ordered(client, 'vera');
    await enroll(client, 'vera');
    await authority.admin.client.perform('retireDevice', { id: 'vera' });
    const answer = await client.order([{ type: 'permanent-identifier', value: 'vera' }]);
    assert.equal(typeOf(answer.body), 'unauthorized');
    assert.match(answer.text, /revoked/);
    await authority.admin.client.perform('eraseDevice', { id: 'vera' });
    const left = (await entriesOf(authority)).filter((entry) => JSON.stringify(entry).includes('vera'));
    assert.deepEqual(left, []);
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });

  test('that somebody made another device’s in the database shows in the log', async () => {
    await device('walt');
    const [client, nobodys] = [await registered(), await registered()];
    await enroll(client, 'walt');
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    database.prepare(`update acme_account set device_id = 'ada' where device_id = 'walt'`).run();
    database
      .prepare(`update acme_account set device_id = 'ada' where id = ?`)
      .run(nobodys.kid!.slice(nobodys.kid!.lastIndexOf('/') + 1));
    database.close();
    const { ok, findings } = await verifyLog(authority);
    assert.equal(ok, false);
    const words = findings.map(({ message }) => message).join('\n');
    assert.match(words, /is of another device in the store than evidence said/);
    assert.match(words, /another device than it is of in the store/);
    assert.match(words, /is a device's in the store, and no evidence said so/);
  });
});

/** Beside a template `keyed`, which takes no such account. */
function withOptionalKey(settings: Yaml): Yaml {
  const edited = withDeviceAttest(settings, { externalAccountKey: 'optional' });
  const { templates, listeners, deviceClasses } = edited;
  templates!['keyed'] = { ...templates!['hardware'], acme: { challenges: ['device-attest-01'] } };
  const { protocols } = listeners!['enroll'] as { protocols: Record<string, object> };
  protocols['acme'] = { templates: ['hardware', 'keyed'], defaultTemplate: 'hardware' };
  deviceClasses!['attested-laptop']!['templates'] = ['device', 'hardware', 'keyed'];
  deviceClasses!['looked-at'] = { ...deviceClasses!['attested-laptop'], approval: 'always' };
  return edited;
}
