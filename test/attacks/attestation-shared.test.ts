import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AttestedLaptop } from '../harness/attested-laptop.ts';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';

/** An attestation key that left its TPM, or was certified for two devices: whoever has it attests as many as the attestation CA will name. */
describe('one attestation key on two devices', () => {
  const cleanup = suiteCleanup();
  const key = makeKey();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup);
  });

  const issued = (answer: EstAnswer) => assert.equal(answer.status, 200, answer.text);
  const ask = async (id: string, tpm = authority.tpm(id, { key })) => {
    const laptop = await AttestedLaptop.expected(authority, id);
    return { laptop, request: await laptop.request(tpm) };
  };
  const alarms = async () =>
    (await entriesOf(authority)).filter((each) => each['event'] === 'attestation.shared');

  test('attests for the first, and waits for the second, with an alarm in the log', async () => {
    const first = await ask('first');
    issued(await first.request());
    const second = await ask('second');
    const waiting = await second.request();
    assert.equal(waiting.status, 202, waiting.text);
    const { verdict } = await entryOf(authority, waiting);
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['attestation-shared'],
    );
    assert.match(verdict.objections[0]!.detail, /^1 other device got certificates by attestation key/);
    // Asking again is no news.
    assert.equal((await second.request()).status, 202);
    const [alarm, ...more] = await alarms();
    assert.deepEqual(more, []);
    const { device, limit, otherDevices } = alarm!['detail'] as Record<string, unknown>;
    assert.deepEqual([device, limit, otherDevices], ['second', 1, 1]);

    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    issued(await second.request());
    // From here on both are known, and the first renews as ever.
    issued(await first.laptop.ask(authority.tpm('first', { key })));
    issued(await second.laptop.ask(authority.tpm('second', { key })));
    const third = await (await ask('third')).request();
    assert.equal(third.status, 202);
  });

  test('another attestation key of a device is no matter', async () => {
    const { laptop, request } = await ask('alone', authority.tpm('alone'));
    issued(await request());
    issued(await laptop.ask(authority.tpm('alone')));
  });

  test('is what status and the list of keys show first', async () => {
    const { attestationKeys } = await authority.admin.client.perform('showStatus', {});
    assert.deepEqual(
      attestationKeys.map(({ devices, format }) => [devices, format]),
      [[2, 'tpm']],
    );
    const listed = await sallyportHere('attestation', 'keys', '--config', authority.configuration);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout.split('\n')[1] ?? '', /^2 +tpm .* first second/);
    const status = await sallyportHere('status', '--config', authority.configuration);
    assert.match(status.stdout, /keys that attest for several devices +2 devices {2}tpm [0-9a-f]{16}…/);
  });

  test('a device that was erased still counts, and stands nowhere else', async () => {
    await authority.admin.client.perform('retireDevice', { id: 'second' });
    await authority.admin.client.perform('eraseDevice', { id: 'second' });
    const [first] = await authority.admin.client.perform('listAttestationKeys', {});
    assert.equal(first!.devices, 2);
    assert.ok(first!.deviceIds.includes('first') && !first!.deviceIds.includes('second'));
    assert.deepEqual((await verifyLog(authority)).findings, []);
  });

  test('an approval of one attestation key lifts nothing of another', async () => {
    const [read, other] = [makeKey(), makeKey()];
    issued(await (await ask('owner-of-read', authority.tpm('owner-of-read', { key: read }))).request());
    issued(await (await ask('owner-of-other', authority.tpm('owner-of-other', { key: other }))).request());
    const laptop = await AttestedLaptop.expected(authority, 'moved');
    const deviceKey = makeKey();
    const waiting = await laptop.ask(authority.tpm('moved', { key: read }), deviceKey);
    assert.equal(waiting.status, 202, waiting.text);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    const answer = await laptop.ask(authority.tpm('moved', { key: other }), deviceKey);
    assert.equal(answer.status, 202, answer.text);
    const { verdict, observations } = await entryOf(authority, answer);
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['attestation-shared'],
    );
    assert.notEqual(
      observations.approval?.evidence?.said.attestingKey,
      observations.evidence?.attestingKey?.spki,
    );
    // With evidence of another nonce, as a client makes it that asks again.
    issued(await laptop.ask(authority.tpm('moved', { key: read }), deviceKey));
  });

  test('is let by an approval beforehand that names it, once', async () => {
    const shared = makeKey();
    issued(await (await ask('before', authority.tpm('before', { key: shared }))).request());
    const asked = await ask('later', authority.tpm('later', { key: shared }));
    assert.equal((await asked.request()).status, 202);
    await authority.admin.client.perform('approveDevice', {
      id: 'later',
      template: 'device',
      lifts: ['attestation-shared'],
    });
    issued(await asked.request());
    const third = await ask('third-of-shared', authority.tpm('third-of-shared', { key: shared }));
    assert.equal((await third.request()).status, 202);
  });

  test('is let by a class that says so, up to its number', async () => {
    const shared = makeKey();
    authority = await attestingAuthority(cleanup, { evidence: { devicesPerAttestationKey: 2 } });
    for (const [id, status] of [
      ['one', 200],
      ['two', 200],
      ['three', 202],
    ] as const) {
      const { request } = await ask(id, authority.tpm(id, { key: shared }));
      assert.equal((await request()).status, status, id);
    }
  });

  test('is news at the tenth device where any number may have it, and holds nobody', async () => {
    const shared = makeKey();
    authority = await attestingAuthority(cleanup, { evidence: { devicesPerAttestationKey: null } });
    for (let nth = 1; nth <= 11; nth += 1) {
      const laptop = await AttestedLaptop.expected(authority, `one-of-many-${nth}`);
      issued(await laptop.ask(authority.tpm(laptop.id, { key: shared })));
      // Who has it already is no news.
      if (nth === 10) issued(await laptop.ask(authority.tpm(laptop.id, { key: shared })));
    }
    const [alarm, ...more] = await alarms();
    assert.deepEqual(more, []);
    const { device, limit, otherDevices } = alarm!['detail'] as Record<string, unknown>;
    assert.deepEqual([device, limit, otherDevices], ['one-of-many-10', null, 9]);
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
