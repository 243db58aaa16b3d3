import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { parseCertificate, pemToDer } from '#x509';
import { AcmeClient, type Json } from '../harness/acme-client.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeCsr, makeKey, renewalCsr } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { verifyLog } from '../harness/log-findings.ts';
import type { Reply } from '../harness/other-system.ts';
import { ScepClient } from '../harness/scep-client.ts';
import { TestDevice } from '../harness/test-device.ts';
import { withVerifier } from '../harness/verified-authority.ts';
import { VerifierService, vendorFormat } from '../harness/verifier-service.ts';

/** Evidence that only its vendor's service can read: init, serve, and a verifier behind mutual TLS. */
describe('evidence that a verifier outside reads', () => {
  const cleanup = suiteCleanup();
  let service: VerifierService;
  let authority: ServedAuthority;
  before(async () => {
    service = await VerifierService.start(cleanup);
    const verifier = service.settings({ timeout: '1s' });
    const files = await initAuthority(cleanup, (yaml) =>
      withVerifier(service, { verifier })(
        anyPorts(yaml).replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000'),
      ),
    );
    authority = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => authority.stop());
  });
  beforeEach(() => {
    service.changed = (answer) => ({ body: answer });
    service.system.questions.length = 0;
  });

  const phone = (id: string, approved = false) =>
    TestDevice[approved ? 'expected' : 'unapproved'](authority, id, {
      deviceClass: 'attested-laptop',
      identifiers: { serialNumber: `S-${id}`, imei: '350000000000001', assetTag: 'A-1' },
    });
  const nonceFor = async (credential: Partial<Parameters<typeof est>[0]>) => {
    const answer = await est({
      url: `${authority.est}/device/nonce`,
      trust: authority.trustPem,
      ...credential,
    });
    assert.equal(answer.status, 200, answer.text);
    return new Uint8Array(Buffer.from(JSON.parse(answer.text).nonce as string, 'base64url'));
  };
  const requestOf = async (device: TestDevice) => {
    const key = makeKey();
    const nonce = await nonceFor({ user: [device.id, device.secret] });
    const object = service.vendor.object(nonce, key, `S-${device.id}`);
    const csr = csrFor(device.id, key, { attributes: [service.vendor.attribute(object)] });
    return { key, csr, nonce, object };
  };
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;

  test('enrolls by EST without an operator, and the log says who said what', async () => {
    const device = await phone('eve');
    const { key, csr, nonce, object } = await requestOf(device);
    const answer = await device.enroll({ key, csr });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Buffer.from(parseCertificate(answer.certificates[0]!).spki), Buffer.from(key.spki));
    const { observations, facts, id } = await newest();
    const [question] = service.questions;
    assert.equal(service.questions.length, 1);
    const { requestId, time, ...asked } = question!;
    assert.equal(requestId, id);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    const inBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    assert.deepEqual(asked, {
      schema: 'sallyport.verify/1',
      template: 'device',
      format: vendorFormat,
      evidence: inBase64(object),
      nonce: inBase64(nonce),
      spki: inBase64(key.spki),
      device: { id: 'eve', identifiers: { serialNumber: 'S-eve', imei: '350000000000001' } },
    });
    const { claims, identities, fresh } = observations.evidence!.examination!.statement!;
    const { answer: digest, ...said } = claims as { answer: string } & typeof claims;
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(said, {
      format: 'external',
      verifier: 'knox',
      type: vendorFormat,
      level: 'tee',
      code: 'knox-v3',
    });
    assert.deepEqual([identities, fresh], [{ serialNumber: 'S-eve' }, true]);
    assert.equal(facts.context.evidence!.verified, true);
  });

  test('gives the same request its certificate again, and asks nobody twice', async () => {
    const device = await phone('ann');
    const { key, csr } = await requestOf(device);
    const first = await device.enroll({ key, csr });
    assert.equal(first.status, 200, first.text);
    service.changed = () => ({ body: { decision: 'refused', code: 'seen-before' } });
    const again = await device.enroll({ key, csr });
    assert.deepEqual(again.certificates, first.certificates);
    assert.equal((await newest()).outcome, 'redelivered');
    assert.equal(service.questions.length, 1);
  });

  test('renews by its certificate, with evidence of the new key', async () => {
    const device = await phone('rex');
    const { key, csr } = await requestOf(device);
    assert.equal((await device.enroll({ key, csr })).status, 200);
    const client = { certificate: device.certificate!, key };
    const nonce = await nonceFor({ client });
    const next = makeKey();
    const attributes = [service.vendor.attribute(service.vendor.object(nonce, next, 'S-rex'))];
    const answer = await est({
      url: `${authority.est}/device/simplereenroll`,
      trust: authority.trustPem,
      client,
      body: base64(renewalCsr(device.certificate!, next, { attributes })),
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await newest()).facts.action, 'renew');
    assert.equal(service.questions.length, 2);
  });

  test('waits for an operator, where another certificate is current, by what was said at first', async () => {
    const device = await phone('ivy');
    const first = await requestOf(device);
    assert.equal((await device.enroll(first)).status, 200);
    await device.newSecret();
    const second = await requestOf(device);
    const held = await device.enroll(second);
    assert.equal(held.status, 202, held.text);
    service.changed = () => ({ body: { decision: 'refused', code: 'seen-before' } });
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const waiting = items.find((each) => each.device === 'ivy')!;
    await authority.admin.client.perform('approveRequest', { id: waiting.id, remark: null });
    const answer = await device.enroll(second);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(service.questions.length, 2);
  });

  test('enrolls by SCEP, with the nonce of its secret', async () => {
    await authority.admin.device('sam', {
      deviceClass: 'attested-laptop',
      identifiers: { serialNumber: 'S-sam' },
    });
    const asked = { device: 'sam', template: 'device', nonce: true };
    const { secret, nonce } = await authority.admin.client.perform('createSecret', asked);
    const key = makeKey('rsa-2048');
    const object = service.vendor.object(Buffer.from(nonce ?? '', 'base64url'), key, 'S-sam');
    const attributes = [service.vendor.attribute(object)];
    const client = await ScepClient.at(`${authority.scep}/device`);
    const content = csrFor('sam', key, { challengePassword: secret, attributes });
    service.changed = () => ({ status: 503 });
    const later = await client.ask({ content, key });
    assert.equal(later.pkiStatus, 'failure');
    assert.match(later.text, /Try again later/);
    service.changed = (answer) => ({ body: answer });
    const answer = await client.ask({ content, key });
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('enrolls by device-attest-01, and a challenge that nobody could look at is answered again', async () => {
    await authority.admin.device('ada', {
      deviceClass: 'attested-laptop',
      identifiers: { serialNumber: 'S-ada' },
    });
    const eab = await authority.admin.client.perform('createExternalAccountKey', {
      device: 'ada',
      templates: ['hardware'],
      approve: false,
    });
    const base = new URL(authority.est).origin;
    const client = await AcmeClient.at(`${base}/acme/hardware/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(eab)).status, 201);
    const { body: order } = await client.order([{ type: 'permanent-identifier', value: 'S-ada' }]);
    const { body } = await client.post((order['authorizations'] as string[])[0]!, null);
    const [challenge] = body['challenges'] as Json[];
    const keyAuthorization = Buffer.from(client.keyAuthorization(challenge!['token'] as string));
    const key = makeKey();
    const object = service.vendor.object(keyAuthorization, key, 'S-ada');
    const attObj = Buffer.from(object).toString('base64url');
    const url = challenge!['url'] as string;

    service.changed = () => 'hang';
    const later = await client.post(url, { attObj });
    assert.equal(later.status, 503, later.text);
    assert.equal(later.headers['retry-after'], '30');
    assert.ok(!later.text.includes('knox'), later.text);
    assert.match(JSON.stringify((await newest()).error), /verifier knox, of samsung-knox: no-answer/);

    service.changed = (answer) => ({ body: answer });
    const answered = await client.post(url, { attObj });
    assert.equal(answered.body['status'], 'valid', answered.text);
    const finalized = await client.finalize(order, makeCsr({ key }));
    assert.equal(finalized.body['status'], 'valid', finalized.text);
    const [der] = pemToDer(await client.download(finalized.body), 'CERTIFICATE');
    assert.deepEqual(Buffer.from(parseCertificate(der!).spki), Buffer.from(key.spki));
    assert.deepEqual(
      service.questions.map(({ spki, format, device }) => [spki, format, device.id]),
      [
        [null, vendorFormat, 'ada'],
        [null, vendorFormat, 'ada'],
      ],
    );
  });

  const silences: readonly [what: string, answering: () => Reply | 'hang', said: string][] = [
    ['a status of 500', () => ({ status: 500, body: { decision: 'verified' } }), 'http-500'],
    [
      'a redirect',
      () => ({ status: 307, headers: { location: `${service.system.url}/verify` }, body: '' }),
      'http-307',
    ],
    ['an endless silence', () => 'hang', 'no-answer'],
    ['an answer of 70 KB', () => ({ body: { decision: 'verified', more: 'x'.repeat(70_000) } }), 'no-answer'],
  ];
  for (const [index, [what, answering, said]] of silences.entries()) {
    test(`${what} proves nothing, and the same request passes another time`, async () => {
      const device = await phone(`silent-${index}`);
      const { key, csr } = await requestOf(device);
      const right = service.changed;
      service.changed = answering;
      const answer = await device.enroll({ key, csr });
      assert.equal(answer.status, 503, answer.text);
      assert.equal(answer.headers['retry-after'], '60');
      const { outcome, observations } = await newest();
      const { fault, statement } = observations.evidence!.examination!;
      assert.deepEqual([outcome, statement], ['refused', null]);
      assert.deepEqual(fault, {
        check: 'verifier-unavailable',
        detail: `verifier knox, of samsung-knox: ${said}`,
      });
      assert.equal(service.questions.length, 1);
      service.changed = right;
      const later = await device.enroll({ key, csr });
      assert.equal(later.status, 200, later.text);
    });
  }

  test('no more than two questions about one device wait at once', async () => {
    const device = await phone('bob');
    const requests = [await requestOf(device), await requestOf(device), await requestOf(device)];
    service.changed = () => 'hang';
    const answers = await Promise.all(requests.map((request) => device.enroll(request)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503, 503],
    );
    assert.equal(service.questions.length, 2);
    const entries = (await requestEntriesOf(authority)).slice(-3);
    const details = entries.map(
      (entry: RequestEntry) => entry.observations.evidence!.examination!.fault!.detail,
    );
    assert.equal(details.filter((detail) => detail.endsWith(': busy')).length, 1);
  });

  test('what was said is judged again by the log, and by what the class asks now', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
