import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AcmeClient } from '../harness/acme-client.ts';
import { attestingAuthority, withDeviceAttest } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, makeCsr, makeKey } from '../harness/csr.ts';
import { leafOfOrder, ready } from '../harness/device-order.ts';
import { verifyLog } from '../harness/log-findings.ts';

/** Who has a copy of a device's TPM makes an account of his own, and proves by it what the device does. */
describe('two accounts that attest for one device', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup, {
      edit: (settings) => withDeviceAttest(settings, { externalAccountKey: 'optional' }),
    });
  });

  const account = async () => {
    const base = new URL(authority.est).origin;
    const client = await AcmeClient.at(`${base}/acme/hardware/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(null)).status, 201);
    return client;
  };
  const finalized = async (client: AcmeClient, id: string, key: ClientKey = makeKey()) => {
    const { order } = await ready(client, id, authority.tpm(id), { key });
    return client.finalize(order, makeCsr({ key }));
  };
  const enrolls = async (client: AcmeClient, id: string, key?: ClientKey) =>
    leafOfOrder(client, await finalized(client, id, key));
  /** The order waits, for this alone, and so does the request that is returned. */
  const waits = async (client: AcmeClient, id: string) => {
    const answer = await finalized(client, id);
    assert.equal(answer.body['status'], 'processing', answer.text);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const waiting = items.findLast(({ device }) => device === id)!;
    assert.deepEqual(
      waiting.objections.map(({ control }) => control),
      ['renewal-lineage'],
    );
    return { order: answer.headers['location']!, id: waiting.id, objections: waiting.objections };
  };

  test('neither goes on by itself once both did, until an operator decides for one', async () => {
    await authority.admin.device('anna', { deviceClass: 'attested-laptop' });
    const [own, thief] = [await account(), await account()];
    await enrolls(own, 'anna');
    await enrolls(thief, 'anna');
    // What he got is told to the operator, and the device's is its own.
    const held = await waits(own, 'anna');
    assert.match(JSON.stringify(held.objections), /was renewed already, to another key/);
    await waits(thief, 'anna');
    await authority.admin.client.perform('approveRequest', { id: held.id, lifts: ['renewal-lineage'] });
    assert.equal((await own.post(held.order, null)).body['status'], 'valid');
    await enrolls(own, 'anna');
    await waits(thief, 'anna');
  });

  test('a device that made another account, and uses that alone, renews', async () => {
    await authority.admin.device('berta', { deviceClass: 'attested-laptop' });
    await enrolls(await account(), 'berta');
    const client = await account();
    for (let time = 0; time < 3; time += 1) await enrolls(client, 'berta');
  });

  test('a third account goes on with neither branch', async () => {
    await authority.admin.device('cora', { deviceClass: 'attested-laptop' });
    const [own, thief] = [await account(), await account()];
    await enrolls(own, 'cora');
    await enrolls(thief, 'cora');
    await waits(own, 'cora');
    await waits(await account(), 'cora');
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
