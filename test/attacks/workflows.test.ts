import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import { readFile, writeFile } from 'node:fs/promises';
import { buildName, parseCertificate } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { OtherSystem, type Reply } from '../harness/other-system.ts';
import { issuerAndSubject, ScepClient, selfSigned } from '../harness/scep-client.ts';

const staticChallenge = 'the same for every printer';
type Q = Record<string, unknown>;

describe('a workflow that is played against the authority', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let mdm: OtherSystem;
  let second: OtherSystem;
  let decide: (question: Q) => Reply | 'hang' | Promise<Reply>;
  let decide2: (question: Q) => Reply | 'hang' | Promise<Reply>;
  before(async () => {
    mdm = await OtherSystem.start(cleanup, ({ text }) => decide(JSON.parse(text) as Q));
    second = await OtherSystem.start(cleanup, ({ text }) => decide2(JSON.parse(text) as Q));
    const folder = mkdtempSync(path.join(tmpdir(), 'proof-'));
    cleanup.after(() => rmSync(folder, { recursive: true }));
    const file = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    const key = file('hook', 'a key that both sides have, and nobody else');
    const printer = file('printer', staticChallenge);
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml
        .replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000')
        .replaceAll('templates: [server, device]', 'templates: [device, mixed, serial, keys, kiosk]')
        .replaceAll('templates: [device, server, iot]', 'templates: [device, mixed, serial, keys, kiosk]')
        .replaceAll(/^ {4}templates: \[device\]$/gm, '    templates: [device, mixed, serial, keys, kiosk]')
        .replace(/^ {2}device:\n([^]*?) {4}authentication: \[secret\]\n/m, (_, body: string) => {
          const wf = '    workflows: [mdm]\n';
          const st = `    dangerousStaticChallenge: { challenge: { file: ${printer} }, limit: { burst: 50, count: 50, period: 1d } }\n`;
          return (
            `  device:\n${body}    authentication: [workflow]\n${wf}` +
            `  mixed:\n${body}    authentication: [workflow, dangerousStaticChallenge]\n${wf}${st}` +
            `  serial:\n${body.replace('commonName: "{device.id}"', 'serialNumber: "{device.serialNumber}"')}    authentication: [workflow]\n    requestedDevice: { column: serialNumber, from: serialNumber }\n${wf}` +
            `  keys:\n${body}    authentication: [secret]\n    serverKeygen: ec-p256\n${wf}` +
            `  kiosk:\n${body.replace('renewalWindow: always', 'renewalWindow: 30d')}    authentication: [secret, dangerousStaticChallenge]\n${st}`
          );
        })
        .replace(/^secrets:$/m, () =>
          [
            'workflows:',
            ...[mdm, second].flatMap(({ url, caFile }, i) => [
              `  ${['mdm', 'second'][i]}:`,
              '    kind: webhook',
              `    url: ${url}/hook`,
              `    key: { file: ${key} }`,
              `    ca: ${caFile}`,
              '    timeout: 3s',
            ]),
            'secrets:',
          ].join('\n'),
        ),
    );
  });
  beforeEach(() => {
    decide = () => ({ body: { decision: 'allow' } });
    decide2 = () => ({ body: { decision: 'allow' } });
    mdm.questions.length = 0;
    second.questions.length = 0;
  });
  let devices = 0;
  const newDevice = async (approveFor: string[], identifiers = {}) => {
    const id = `dev-${(devices += 1)}`;
    await authority.admin.device(id, { approveFor, identifiers });
    return { id, key: makeKey('rsa-2048') };
  };
  const clientOf = (template: string) => ScepClient.at(`${authority.scep}/${template}`);
  const certificatesOf = async (device: string) =>
    (await authority.admin.client.perform('listCertificates', { device })).items;
  const deliverIs =
    (reply: Reply) =>
    ({ schema }: Q) =>
      schema === 'sallyport.deliver/1' ? reply : { body: { decision: 'allow' } };

  test('agreement for one device gives no certificate to another, whose serial number it became while the workflow thought', async () => {
    const a = await newDevice(['serial'], { serial_number: 'SN-1', dns_name: 'a.example.org' });
    const b = await newDevice(['serial'], { serial_number: 'SN-2', dns_name: 'b.example.org' });
    decide = async ({ schema }) => {
      if (schema === 'sallyport.validate/1') {
        await authority.admin.device(a.id, {
          identifiers: { serial_number: 'SN-9', dns_name: 'a.example.org' },
        });
        await authority.admin.device(b.id, {
          identifiers: { serial_number: 'SN-1', dns_name: 'b.example.org' },
        });
        return { body: { decision: 'allow', device: { id: a.id } } };
      }
      return { body: { decision: 'allow' } };
    };
    const content = makeCsr({
      key: a.key,
      subject: [{ type: 'serialNumber', value: 'SN-1' }],
      challengePassword: 'whatever',
    });
    const answer = await (await clientOf('serial')).ask({ content, key: a.key });
    assert.equal(answer.pkiStatus, 'failure');
    const { observations } = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(observations.device!.id, b.id);
    assert.equal(observations.workflows![0]!.device, 'other');
    // It agreed twice, and hears of both that nothing came of it.
    for (const { id } of [a, b]) {
      await mdm.question(({ text }) => text.includes('sallyport.failed/1') && text.includes(id));
    }
  });

  test('a static challenge is not told to the workflow beside it', async () => {
    const { id, key } = await newDevice(['mixed']);
    const content = csrFor(id, key, { challengePassword: staticChallenge });
    const answer = await (await clientOf('mixed')).ask({ content, key });
    assert.equal(answer.pkiStatus, 'success', answer.text);
    const { observations } = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(observations.challenge?.kind, 'static');
    const validate = JSON.parse(mdm.questions[0]!.text) as Q;
    assert.notEqual(validate['challenge'], staticChallenge, 'the fleet password was given to the webhook');
  });

  test('the certificate of a made key that did not leave is revoked: nobody will ever have the key', async () => {
    const { id } = await newDevice(['keys']);
    const secret = await authority.admin.secret(id, 'keys');
    decide = deliverIs({ status: 503 });
    const ask = () =>
      est({
        url: `${authority.est}/keys/serverkeygen`,
        body: base64(csrFor(id, makeKey())),
        user: [id, secret],
        trust: authority.trustPem,
      });
    assert.equal((await ask()).status, 403);
    decide = deliverIs({ body: { decision: 'allow' } });
    assert.equal((await ask()).status, 401);
    const certs = await certificatesOf(id);
    assert.deepEqual(
      certs.map(({ state }) => state),
      ['revoked'],
      'nobody has its key, and nobody ever will',
    );
  });

  test('what did not leave at first, and is refused then, is revoked: nobody has had it', async () => {
    const { id, key } = await newDevice(['device']);
    const content = csrFor(id, key, { challengePassword: 'c' });
    const client = await clientOf('device');
    decide = deliverIs({ status: 503 });
    assert.equal((await client.ask({ content, key })).status, 503);
    decide = deliverIs({ body: { decision: 'deny' } });
    assert.equal((await client.ask({ content, key })).pkiStatus, 'failure');
    const certs = await certificatesOf(id);
    assert.deepEqual(
      certs.map(({ state }) => state),
      ['revoked'],
    );
  });

  test('a poll of an early renewal is no static challenge, though the key has no standing any more', async () => {
    const id = `kiosk-${Date.now()}`;
    const key = makeKey('rsa-2048');
    await authority.admin.device(id, { approveFor: ['kiosk'] });
    const secret = await authority.admin.secret(id, 'kiosk');
    const client = await clientOf('kiosk');
    const first = await client.ask({ content: csrFor(id, key, { challengePassword: secret }), key });
    assert.equal(first.pkiStatus, 'success', first.text);
    const own = parseCertificate(first.certificates[0]!);
    // Too early: held.
    const early = await client.ask({
      messageType: '17',
      content: csrFor(id, makeKey('rsa-2048')),
      key,
      signer: own,
      transactionId: 'early',
    });
    assert.equal(early.pkiStatus, 'pending', early.text);
    // The device is stolen: its certificate is revoked, and the operator approves the replacement beforehand.
    const [certificate] = await certificatesOf(id);
    await authority.admin.client.perform('revokeCertificate', {
      id: certificate!.sha256,
      reason: 'keyCompromise',
    });
    await authority.admin.client.perform('approveDevice', { id, template: 'kiosk' });
    const name = buildName([{ type: 'commonName', value: id }]);
    const poll = await client.ask({
      messageType: '20',
      content: issuerAndSubject(client.cas[0]!, name),
      key,
      signer: selfSigned(key, name),
      transactionId: 'early',
    });
    assert.equal(poll.pkiStatus, 'failure');
    const { observations } = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(observations.challenge, undefined);
  });

  test('a request that waited for its twin is judged by what a reload put in force meanwhile', async () => {
    const { id, key } = await newDevice(['device']);
    const content = csrFor(id, key, { challengePassword: 'c' });
    const client = await clientOf('device');
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let asked!: () => void;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    let validates = 0;
    decide = async ({ schema }) => {
      if (schema !== 'sallyport.validate/1') return { body: { decision: 'allow' } };
      validates += 1;
      if (validates > 1) return { body: { decision: 'allow' } };
      asked();
      await gate;
      return { body: { decision: 'deny' } };
    };
    decide2 = () => ({ body: { decision: 'deny' } });
    const one = client.ask({ content, key });
    await wasAsked;
    const two = client.ask({ content, key });
    // What came after it is answered: it waits.
    const probe = await newDevice(['device']);
    const probing = csrFor(probe.id, probe.key, { challengePassword: 'c' });
    assert.equal((await client.ask({ content: probing, key: probe.key })).pkiStatus, 'success');
    const yaml = await readFile(authority.configuration, 'utf8');
    await writeFile(authority.configuration, yaml.replaceAll('workflows: [mdm]', 'workflows: [mdm, second]'));
    await authority.running.reload();
    release();
    const answers = await Promise.all([one, two]);
    const asked2 = second.questions.length;
    const fresh = await newDevice(['device']);
    const third = await client.ask({
      content: csrFor(fresh.id, fresh.key, { challengePassword: 'c' }),
      key: fresh.key,
    });
    assert.equal(third.pkiStatus, 'failure', 'the reload is in force');
    assert.ok(second.questions.length > asked2);
    await writeFile(authority.configuration, yaml);
    await authority.running.reload();
    assert.deepEqual(
      answers.map(({ pkiStatus }) => pkiStatus),
      ['failure', 'failure'],
    );
  });

  test('a stranger with the name of one device leaves the calls of a workflow to others', async () => {
    const victim = await newDevice(['device']);
    const known = await newDevice(['device']);
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    decide = ({ device }) =>
      (device as Q)['id'] === victim.id
        ? { body: { decision: 'allow' } }
        : answered.then(() => ({ body: { decision: 'deny' } }));
    const floods = Array.from({ length: 40 }, () =>
      est({
        url: `${authority.est}/device/simpleenroll`,
        body: base64(csrFor(known.id, makeKey())),
        user: ['', 'a guess'],
        trust: authority.trustPem,
      }),
    );
    await mdm.question(() => mdm.questions.length >= 2);
    const content = csrFor(victim.id, victim.key, { challengePassword: 'right' });
    const { pkiStatus } = await (await clientOf('device')).ask({ content, key: victim.key });
    assert.equal(pkiStatus, 'success');
    answer();
    const statuses = (await Promise.all(floods)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)], [401]);
  });

  test('who guesses while no workflow answers does not learn which devices there are', async () => {
    const { id } = await newDevice(['device']);
    decide = () => ({ status: 500 });
    const statuses = ['nobody', id].map(async (name) => {
      const answer = await est({
        url: `${authority.est}/device/simpleenroll`,
        body: base64(csrFor(name, makeKey())),
        user: ['', 'a guess'],
        trust: authority.trustPem,
      });
      return answer.status;
    });
    assert.deepEqual(await Promise.all(statuses), [401, 401]);
  });

  test('the log verifies, with certificates that were withdrawn', async () => {
    const { id, key } = await newDevice(['device']);
    decide = deliverIs({ body: { decision: 'deny' } });
    const content = csrFor(id, key, { challengePassword: 'c' });
    assert.equal((await (await clientOf('device')).ask({ content, key })).pkiStatus, 'failure');
    await authority.running.close();
    const report = await verifyLog(authority);
    assert.equal(report.ok, true);
  });
});
