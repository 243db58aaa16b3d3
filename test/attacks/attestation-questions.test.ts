import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type AcmeAnswer, AcmeClient, type Json } from '../harness/acme-client.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { assertNotAccepted } from '../harness/device-order.ts';
import { entriesOf } from '../harness/entries.ts';
import { est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import type { Reply } from '../harness/other-system.ts';
import { TestDevice } from '../harness/test-device.ts';
import { withVerifier } from '../harness/verified-authority.ts';
import { VerifierService } from '../harness/verifier-service.ts';

const unread = ['device', 'fresh', 'key', 'sound', 'trusted', 'unused'].map((each) => `attestation-${each}`);

/** Who has one secret of a device would have us ask its verifier without end, by evidence that it refuses. */
describe('questions to a verifier', () => {
  const cleanup = suiteCleanup();
  let service: VerifierService;
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    service = await VerifierService.start(cleanup);
    authority = await authorityInProcess(
      cleanup,
      withVerifier(service, {
        edit(settings) {
          // The verifier takes no question whose time is five minutes off.
          Object.assign(settings['limits']!, { verifier: { burst: 3, count: 3, period: '3m' } });
          return settings;
        },
      }),
    );
  });
  beforeEach(() => {
    service.system.questions.length = 0;
    service.changed = (answer) => ({ body: { ...answer, decision: 'refused' } });
  });

  const phone = (id: string) =>
    TestDevice.expected(authority, id, {
      deviceClass: 'attested-laptop',
      identifiers: { serialNumber: `S-${id}` },
    });
  const enroll = async (device: TestDevice): Promise<EstAnswer> => {
    const user: [string, string] = [device.id, device.secret];
    const given = await est({ url: `${authority.est}/device/nonce`, trust: authority.trustPem, user });
    const nonce = new Uint8Array(Buffer.from(JSON.parse(given.text).nonce as string, 'base64url'));
    const key = makeKey();
    const object = service.vendor.object(nonce, key, `S-${device.id}`);
    const csr = csrFor(device.id, key, { attributes: [service.vendor.attribute(object)] });
    return device.enroll({ key, csr });
  };
  const account = async (device: string) => {
    const eab = await authority.admin.client.perform('createExternalAccountKey', {
      device,
      templates: ['hardware'],
      approve: false,
    });
    const directory = `${new URL(authority.est).origin}/acme/hardware/directory`;
    const client = await AcmeClient.at(directory, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(eab)).status, 201);
    return client;
  };
  const challengeOf = async (client: AcmeClient, value: string, fmt?: string) => {
    const { body: order } = await client.order([{ type: 'permanent-identifier', value }]);
    const { body } = await client.post((order['authorizations'] as string[])[0]!, null);
    const [challenge] = body['challenges'] as Json[];
    const nonce = Buffer.from(client.keyAuthorization(challenge!['token'] as string));
    const key = makeKey();
    const object = service.vendor.object(nonce, key, value, fmt);
    return {
      order,
      key,
      url: challenge!['url'] as string,
      answer: { attObj: Buffer.from(object).toString('base64url') },
    };
  };
  /** The challenge failed, and the log says why. */
  const assertFailed = async (answer: AcmeAnswer, words: RegExp) => {
    assertNotAccepted(answer);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)!['detail']), words);
  };

  test('are as many as one secret may have asked, and another one of the device has its own', async () => {
    const device = await phone('many');
    for (let i = 0; i < 3; i += 1) assert.equal((await enroll(device)).status, 403);
    const beyond = await enroll(device);
    const entry = await assertRefused(authority, beyond, 503, ['attestation', ...unread, 'rate-device']);
    const { detail } = entry.verdict.objections.find(({ control }) => control === 'rate-device')!;
    assert.match(
      detail,
      /^who presents this had verifiers asked as often as they may be, for another \d+ s$/,
    );
    const seconds = Number(beyond.headers['retry-after']);
    assert.ok(seconds > 50 && seconds <= 60, String(seconds));
    assert.equal(service.questions.length, 3);

    service.changed = (answer) => ({ body: answer });
    await device.newSecret();
    assert.equal((await enroll(device)).status, 200);
    assert.equal(service.questions.length, 4);
  });

  test('come again when the time is over', async () => {
    const device = await phone('later');
    for (let i = 0; i < 3; i += 1) assert.equal((await enroll(device)).status, 403);
    service.changed = (answer) => ({ body: answer });
    const beyond = await enroll(device);
    assert.equal(beyond.status, 503);
    authority.advance(Number(beyond.headers['retry-after']) * 1000);
    const again = await enroll(device);
    assert.equal(again.status, 200, again.text);
  });

  test('of an account of ACME end as well: the challenge stays pending', async () => {
    await phone('acme');
    const client = await account('acme');
    for (let i = 0; i < 3; i += 1) {
      const { url, answer } = await challengeOf(client, 'S-acme');
      assert.equal((await client.post(url, answer)).body['status'], 'invalid');
    }
    service.changed = (answer) => ({ body: answer });
    const { url, answer } = await challengeOf(client, 'S-acme');
    const beyond = await client.post(url, answer);
    assert.equal(beyond.status, 503, beyond.text);
    assert.equal(service.questions.length, 3);
    authority.advance(60_000);
    assert.equal((await client.post(url, answer)).body['status'], 'valid');
  });

  test('are one for the same answer to a challenge, however often it comes at once', async () => {
    await phone('twice');
    const client = await account('twice');
    service.changed = (answer) => ({ body: answer });
    const { url, answer } = await challengeOf(client, 'S-twice');
    const twin = client.twin(authority.trustPem);
    cleanup.after(() => twin.close());
    const { answering } = service.system;
    service.system.answering = async (question) => {
      await setTimeout(500);
      return (await answering(question)) as Reply;
    };
    const answers = await Promise.all([client.post(url, answer), twin.post(url, answer)]);
    service.system.answering = answering;
    for (const { body } of answers) assert.equal(body['status'], 'valid');
    assert.equal(service.questions.length, 1);
  });

  test('are none about evidence that got a certificate, in another order of the same account', async () => {
    await phone('again');
    const client = await account('again');
    service.changed = (answer) => ({ body: answer });
    const { order, key, url, answer } = await challengeOf(client, 'S-again');
    assert.equal((await client.post(url, answer)).body['status'], 'valid');
    const issued = await client.finalize(order, makeCsr({ key }));
    assert.equal(issued.body['status'], 'valid', issued.text);
    const next = await challengeOf(client, 'S-again');
    await assertFailed(await client.post(next.url, answer), /no verifier was asked/);
    assert.equal(service.questions.length, 1);
  });

  test('are none about what no verifier of the class reads: the challenge fails, and nothing of ours', async () => {
    await phone('strange');
    const client = await account('strange');
    const { url, answer } = await challengeOf(client, 'S-strange', 'chromeos');
    await assertFailed(await client.post(url, answer), /no verifier was asked about .* chromeos/);
    assert.deepEqual([service.questions, authority.faults], [[], []]);
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
