import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { typeOf } from '../harness/acme-answers.ts';
import { AttestedLaptop } from '../harness/attested-laptop.ts';
import { AcmeClient } from '../harness/acme-client.ts';
import { attestingAuthority, withDeviceAttest } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeCsr } from '../harness/csr.ts';
import { attest, ordered, ready } from '../harness/device-order.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';

const minute = 60_000;
const day = 86_400_000;

/** Who has the hardware for an hour would have it attest keys for years, and ask with them as each certificate ends. */
describe('evidence that was made beforehand', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup, {
      edit(settings) {
        Object.assign(settings['templates']!['device']!, { validity: '90d', renewalWindow: '30d' });
        return withDeviceAttest(settings, { externalAccountKey: 'optional', authorizationLifetime: '30d' });
      },
    });
  });

  /** A clock that jumps further is one that was set. */
  const pass = (days: number) => {
    for (let i = 0; i < days; i += 1) authority.advance(day);
  };
  const controls = async (answer: EstAnswer) =>
    (await entryOf(authority, answer)).verdict.objections.map(({ control }) => control);
  const early = async (id: string) => {
    const laptop = await AttestedLaptop.expected(authority, id);
    assert.equal((await laptop.ask(authority.tpm(id))).status, 200);
    const ask = await laptop.request(authority.tpm(id));
    const waiting = await ask();
    assert.equal(waiting.status, 202, waiting.text);
    assert.deepEqual(await controls(waiting), ['renewal-window']);
    return { laptop, ask, waiting };
  };

  test('is no longer fresh when its request could wait no more, and new evidence is taken', async () => {
    const { laptop, ask } = await early('pile');
    pass(6);
    assert.equal((await ask()).status, 202);
    pass(64);
    const late = await ask();
    assert.equal(late.status, 403, late.text);
    assert.deepEqual(await controls(late), ['attestation', 'attestation-fresh']);
    assert.equal((await laptop.ask(authority.tpm('pile'))).status, 200);
  });

  test('is fresh for as long as an approval of its request is good', async () => {
    const { ask, waiting } = await early('waits');
    pass(6);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    pass(6);
    const collected = await ask();
    assert.equal(collected.status, 200, collected.text);
  });

  const accountFor = async (device: string) => {
    await authority.admin.device(device, { deviceClass: 'attested-laptop' });
    const client = await AcmeClient.at(
      `${new URL(authority.est).origin}/acme/hardware/directory`,
      authority.trustPem,
    );
    cleanup.after(() => client.close());
    await client.register(null);
    return client;
  };

  test('for the token of an order that nobody answered for an hour, proves nothing', async () => {
    const client = await accountFor('tokens');
    const [first, second] = [await ordered(client, 'tokens'), await ordered(client, 'tokens')];
    authority.advance(59 * minute);
    const { answer } = await attest(client, first, authority.tpm('tokens'));
    assert.equal(answer.body['status'], 'valid', answer.text);
    authority.advance(2 * minute);
    const { answer: late, key } = await attest(client, second, authority.tpm('tokens'));
    assert.notEqual(late.body['status'], 'valid', late.text);
    const finalized = await client.finalize(second, makeCsr({ key }));
    assert.equal(finalized.status, 403, finalized.text);
  });

  test('and taken for an order counts for an hour, however long authorizations last', async () => {
    const client = await accountFor('stored');
    const tpm = authority.tpm('stored');
    const [first, second] = [await ready(client, 'stored', tpm), await ready(client, 'stored', tpm)];
    authority.advance(59 * minute);
    const inTime = await client.finalize(first.order, makeCsr({ key: first.key }));
    assert.equal(inTime.body['status'], 'valid', inTime.text);
    authority.advance(2 * minute);
    const late = await client.finalize(second.order, makeCsr({ key: second.key }));
    assert.equal(late.status, 403, late.text);
    assert.equal(typeOf(late.body), 'orderNotReady');
  });

  test('and all of it follows from what the log says', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
