import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { buildName, parseCertificationRequest } from '#x509';
import { initAuthority, anyPorts, serveAuthority, type ServedAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { OtherSystem, type Reply } from '../harness/other-system.ts';
import { issuerAndSubject, ScepClient, selfSigned } from '../harness/scep-client.ts';

const hookKey = 'a key that both sides have, and nobody else';
const challenge = 'challenge-of-the-mdm';
const controlsOf = ({ verdict }: RequestEntry) => verdict.objections.map(({ control }) => control);
const questionOf = ({ text }: { text: string }) => JSON.parse(text) as Record<string, unknown>;

describe('a workflow that answers for challenges', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let mdm: OtherSystem;
  let second: OtherSystem;
  let decide: (question: Record<string, unknown>) => Reply | 'hang';
  let alsoDecide: (question: Record<string, unknown>) => Reply | 'hang';
  before(async () => {
    mdm = await OtherSystem.start(cleanup, (question) => decide(questionOf(question)));
    second = await OtherSystem.start(cleanup, (question) => alsoDecide(questionOf(question)));
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml)
        .replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000')
        .replaceAll('templates: [server, device]', 'templates: [device, both]')
        .replaceAll('templates: [device]', 'templates: [device, both]')
        .replace(
          /^ {2}device:\n([^]*?) {4}authentication: \[secret\]\n/m,
          (_, body: string) =>
            `  device:\n${body}    authentication: [workflow]\n    workflows: [mdm]\n` +
            `  both:\n${body}    authentication: [workflow]\n    workflows: [mdm, second]\n`,
        )
        .replace(/^secrets:$/m, () =>
          [
            'workflows:',
            ...[mdm, second].flatMap(({ url, caFile }, index) => [
              `  ${['mdm', 'second'][index]}:`,
              '    kind: webhook',
              `    url: ${url}/hook`,
              '    key: { file: secrets/hook }',
              `    ca: ${caFile}`,
              '    timeout: 1s',
            ]),
            'secrets:',
          ].join('\n'),
        ),
    );
    await writeFile(path.join(files.directory, 'secrets/hook'), hookKey, { mode: 0o600 });
    authority = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => authority.stop());
  });
  beforeEach(() => {
    decide = ({ schema, challenge: given }) => ({
      body: { decision: schema !== 'sallyport.validate/1' || given === challenge ? 'allow' : 'deny' },
    });
    alsoDecide = () => ({ body: { decision: 'allow' } });
    mdm.questions.length = 0;
    second.questions.length = 0;
  });
  let devices = 0;
  const newDevice = async (approveFor = ['device', 'both']) => {
    const id = `mdm-${(devices += 1)}`;
    await authority.admin.device(id, { approveFor });
    return { id, key: makeKey('rsa-2048') };
  };
  const clientOf = (template = 'device') => ScepClient.at(`${authority.scep}/${template}`);
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;

  test('is asked with a signed question, and the certificate leaves when it agrees twice', async () => {
    const { id, key } = await newDevice();
    const content = csrFor(id, key, { challengePassword: challenge });
    const answer = await (await clientOf()).ask({ content, key, transactionId: 'transaction-7' });
    assert.equal(answer.pkiStatus, 'success', answer.text);

    const [validate, deliver] = mdm.questions.map(questionOf);
    assert.equal(mdm.questions.length, 2);
    for (const { headers, text, method, path: target } of mdm.questions) {
      assert.deepEqual([method, target], ['POST', '/hook']);
      const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['sallyport-signature']))!;
      assert.equal(mac, createHmac('sha256', hookKey).update(`${time}.${text}`).digest('hex'));
    }
    const { entry } = await authority.admin.entry(String(validate!['requestId']));
    assert.equal((entry as unknown as RequestEntry).outcome, 'issued');
    assert.deepEqual(
      ['schema', 'protocol', 'template', 'phase', 'transactionID', 'challenge', 'device'].map(
        (name) => validate![name],
      ),
      ['sallyport.validate/1', 'scep', 'device', 'enrollment', 'transaction-7', challenge, { id }],
    );
    const asked = Buffer.from(String(validate!['certificationRequest']), 'base64');
    assert.deepEqual(asked, Buffer.from(content));
    assert.equal(deliver!['schema'], 'sallyport.deliver/1');
    assert.deepEqual(
      Buffer.from(String(deliver!['certificate']), 'base64'),
      Buffer.from(answer.certificates[0]!),
    );
    const { observations, facts } = await newest();
    assert.deepEqual(observations.workflows, [
      { name: 'mdm', decision: 'agreed', code: 'allow', device: 'none' },
    ]);
    assert.deepEqual(facts.context.challenge, { known: true, withinLimit: true });
    assert.ok(!JSON.stringify(await requestEntriesOf(authority)).includes(challenge));
  });

  test('gives the same certificate to the same request again, and asks again before it leaves', async () => {
    const { id, key } = await newDevice();
    const content = csrFor(id, key, { challengePassword: challenge });
    const client = await clientOf();
    const first = await client.ask({ content, key });
    const again = await client.ask({ content, key });
    assert.deepEqual(again.certificates, first.certificates);
    assert.deepEqual(
      mdm.questions.map((question) => questionOf(question)['schema']),
      ['sallyport.validate/1', 'sallyport.deliver/1', 'sallyport.validate/1', 'sallyport.deliver/1'],
    );
  });

  const refusals: readonly [what: string, answering: () => Reply | 'hang', said: string][] = [
    ['a plain refusal', () => ({ body: { decision: 'deny', code: 'wrong-user' } }), 'refused wrong-user'],
    ['a decision of no known name', () => ({ body: { decision: 'ok' } }), 'refused unknown-decision'],
    ['an agreement that is no text', () => ({ body: { decision: true } }), 'refused unknown-decision'],
    ['no JSON', () => ({ body: 'allow' }), 'refused unknown-decision'],
    ['a code with a line end', () => ({ body: { decision: 'deny', code: 'a\nb' } }), 'refused unreadable'],
    ['a status of 500', () => ({ status: 500, body: { decision: 'allow' } }), 'unavailable http-500'],
    ['a status of 201', () => ({ status: 201, body: { decision: 'allow' } }), 'unavailable http-201'],
    [
      'a redirect',
      () => ({ status: 302, headers: { location: `${mdm.url}/hook?decided` }, body: '' }),
      'unavailable http-302',
    ],
    ['an endless silence', () => 'hang', 'unavailable no-answer'],
    [
      'an answer of 70 KB',
      () => ({ body: { decision: 'allow', more: 'x'.repeat(70_000) } }),
      'unavailable no-answer',
    ],
  ];
  for (const [what, answering, said] of refusals) {
    test(`${what} is no agreement`, async () => {
      const { id, key } = await newDevice();
      decide = answering;
      const content = csrFor(id, key, { challengePassword: challenge });
      const answer = await (await clientOf()).ask({ content, key });
      assert.equal(answer.pkiStatus, 'failure', answer.text);
      const entry = await newest();
      assert.deepEqual(controlsOf(entry), ['authentication', 'challenge-known', 'workflow-agreed']);
      const [observed] = entry.observations.workflows!;
      assert.equal(`${observed!.decision} ${observed!.code}`, said);
      assert.equal(mdm.questions.length, 1);
    });
  }

  test('that speaks of another device does not agree to this one', async () => {
    const { id, key } = await newDevice();
    decide = () => ({ body: { decision: 'allow', device: { id: 'somebody-else' } } });
    const content = csrFor(id, key, { challengePassword: challenge });
    assert.equal((await (await clientOf()).ask({ content, key })).pkiStatus, 'failure');
    assert.deepEqual(controlsOf(await newest()), ['authentication', 'challenge-known', 'workflow-agreed']);
    decide = () => ({ body: { decision: 'allow', device: { id } } });
    assert.equal((await (await clientOf()).ask({ content, key })).pkiStatus, 'success');
  });

  test('is one of two that must both agree', async () => {
    const { id, key } = await newDevice();
    alsoDecide = () => ({ body: { decision: 'deny' } });
    const content = csrFor(id, key, { challengePassword: challenge });
    assert.equal((await (await clientOf('both')).ask({ content, key })).pkiStatus, 'failure');
    const failed = await mdm.question(({ text }) => text.includes('sallyport.failed/1'));
    assert.deepEqual((questionOf(failed)['failure'] as { control: string }).control, 'authentication');
    assert.equal(questionOf(failed)['challenge'], null);
    alsoDecide = () => ({ body: { decision: 'allow' } });
    assert.equal((await (await clientOf('both')).ask({ content, key })).pkiStatus, 'success');
  });

  test('is not asked where something else stands against the request', async () => {
    const key = makeKey('rsa-2048');
    const content = csrFor('nobody-knows-me', key, { challengePassword: challenge });
    assert.equal((await (await clientOf()).ask({ content, key })).pkiStatus, 'failure');
    assert.ok(controlsOf(await newest()).includes('device-known'));
    const { id } = await newDevice();
    await authority.admin.client.perform('suspendDevice', { id });
    const suspended = csrFor(id, key, { challengePassword: challenge });
    assert.equal((await (await clientOf()).ask({ content: suspended, key })).pkiStatus, 'failure');
    assert.ok(controlsOf(await newest()).includes('device-state'));
    assert.deepEqual(mdm.questions, []);
  });

  test('an empty challenge is none', async () => {
    const { id, key } = await newDevice();
    for (const more of [{}, { challengePassword: '' }]) {
      assert.equal(
        (await (await clientOf()).ask({ content: csrFor(id, key, more), key })).pkiStatus,
        'failure',
      );
      assert.ok(controlsOf(await newest()).includes('authentication'));
    }
    assert.deepEqual(mdm.questions, []);
  });

  test('that does not let the certificate leave has it revoked, and the client gets nothing', async () => {
    const { id, key } = await newDevice();
    decide = ({ schema }) => ({ body: { decision: schema === 'sallyport.deliver/1' ? 'deny' : 'allow' } });
    const content = csrFor(id, key, { challengePassword: challenge });
    const answer = await (await clientOf()).ask({ content, key });
    assert.deepEqual([answer.pkiStatus, answer.certificates], ['failure', []]);
    const [issued, withdrawn] = (await requestEntriesOf(authority)).slice(-2);
    assert.deepEqual(
      [issued!.outcome, withdrawn!.outcome, issued!.id === withdrawn!.id],
      ['issued', 'withdrawn', true],
    );
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    assert.deepEqual(
      items.map(({ state }) => state),
      ['revoked'],
    );
  });

  test('that refuses what somebody has already does not have it revoked', async () => {
    const { id, key } = await newDevice();
    const content = csrFor(id, key, { challengePassword: challenge });
    const client = await clientOf();
    assert.equal((await client.ask({ content, key })).pkiStatus, 'success');
    decide = ({ schema }) => ({ body: { decision: schema === 'sallyport.deliver/1' ? 'deny' : 'allow' } });
    assert.deepEqual((await client.ask({ content, key })).certificates, []);
    assert.equal((await newest()).outcome, 'withheld');
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    assert.deepEqual(
      items.map(({ state }) => state),
      ['current'],
    );
  });

  test('that cannot be asked before the certificate leaves is asked when the same request comes again', async () => {
    const { id, key } = await newDevice();
    decide = ({ schema }) =>
      schema === 'sallyport.deliver/1' ? { status: 503 } : { body: { decision: 'allow' } };
    const content = csrFor(id, key, { challengePassword: challenge });
    const client = await clientOf();
    assert.equal((await client.ask({ content, key })).certificates.length, 0);
    assert.equal((await newest()).outcome, 'withheld');
    decide = () => ({ body: { decision: 'allow' } });
    assert.equal((await client.ask({ content, key })).pkiStatus, 'success');
    assert.equal((await newest()).outcome, 'redelivered');
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    assert.equal(items.length, 1);
  });

  test('agrees to what then waits for an operator, and is asked at each poll without the challenge', async () => {
    const { id, key } = await newDevice([]);
    const client = await clientOf();
    const content = csrFor(id, key, { challengePassword: challenge });
    const held = await client.ask({ content, key, transactionId: 'waiting' });
    assert.equal(held.pkiStatus, 'pending', held.text);
    const name = buildName([{ type: 'commonName', value: id }]);
    const poll = () =>
      client.ask({
        messageType: '20',
        content: issuerAndSubject(client.cas[0]!, name),
        key,
        signer: selfSigned(key, name),
        transactionId: 'waiting',
      });
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find((each) => each.device === id)!;
    await authority.admin.client.perform('approveRequest', { id: request.id });
    decide = () => ({ body: { decision: 'deny' } });
    assert.equal((await poll()).pkiStatus, 'failure');
    decide = () => ({ body: { decision: 'allow' } });
    const issued = await poll();
    assert.equal(issued.pkiStatus, 'success', issued.text);
    const polled = mdm.questions
      .map(questionOf)
      .filter(({ schema }) => schema === 'sallyport.validate/1')
      .at(-1)!;
    assert.equal(polled['challenge'], null);
    const kept = parseCertificationRequest(Buffer.from(String(polled['certificationRequest']), 'base64'));
    assert.equal(kept.challengePassword, null);
  });
});
