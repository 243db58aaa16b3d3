import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, describe, test, type TestContext } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { buildName } from '#x509';
import { requireClient } from '../clients.ts';
import { call, machine, withApi } from '../harness/api.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { issuerAndSubject, ScepClient, selfSigned } from '../harness/scep-client.ts';

/** As scripts that scrape the page do: decoded by its byte order mark, split at the tags. */
const scraper = `
import sys
page = sys.stdin.buffer.read().decode('utf-16')
print(page.split('<B>')[1].split('</B>')[0].strip())
`;

describe('a password of the page of NDES', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let token: string;
  let client: ScepClient;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      withApi(yaml, ['ndes: { template: device, maximumLive: 50 }']),
    );
    token = await machine(authority, 'fleet', { scopes: ['secrets:create'] });
    client = await ScepClient.at(new URL('/certsrv/mscep/mscep.dll', authority.scep).href);
  });
  const page = async () => (await call(authority, '/certsrv/mscep_admin/', { user: ['fleet', token] })).bytes;
  const password = async () => {
    const text = new TextDecoder('utf-16').decode(await page());
    return /<B> ([0-9A-F]{16}) <\/B>/.exec(text)![1]!;
  };
  const ask = (id: string, challengePassword: string, key: ClientKey = makeKey('rsa-2048')) =>
    client.ask({ content: csrFor(id, key, { challengePassword }), key, transactionId: id });
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;
  const objections = ({ verdict }: RequestEntry) => verdict.objections.map(({ control }) => control);

  test('is read by an independent scraper, and enrolls the device that its request names', async (t: TestContext) => {
    const python = requireClient(t, 'python3');
    if (python === null) return;
    const { stdout, status } = spawnSync(python, ['-c', scraper], { input: await page(), encoding: 'utf8' });
    assert.equal(status, 0);
    await authority.admin.device('router-1', { approveFor: ['device'] });
    const answer = await ask('router-1', stdout.trim());
    assert.equal(answer.pkiStatus, 'success', answer.text);
    const { observations } = await newest();
    assert.equal(observations.secret!.unbound, true);
    assert.equal(observations.device!.id, 'router-1');
    const { items } = await authority.admin.client.perform('listSecrets', { device: 'router-1' });
    assert.deepEqual(
      items.map(({ state, device }) => [state, device]),
      [['spent', 'router-1']],
    );
  });

  test('is the first device’s that used it, and no other’s', async () => {
    for (const id of ['router-2', 'router-3']) await authority.admin.device(id, { approveFor: ['device'] });
    const secret = await password();
    assert.equal((await ask('router-2', secret)).pkiStatus, 'success');
    assert.equal((await ask('router-3', secret)).pkiStatus, 'failure');
    const entry = await newest();
    assert.equal(entry.observations.device!.id, 'router-2');
    assert.ok(objections(entry).includes('secret-unused'), objections(entry).join());
  });

  test('by ten devices at once gives one certificate', async () => {
    const secret = await password();
    const ids = Array.from({ length: 10 }, (_, n) => `racer-${n}`);
    for (const id of ids) await authority.admin.device(id, { approveFor: ['device'] });
    const keys = ids.map(() => makeKey('rsa-2048'));
    const answers = await Promise.all(ids.map((id, at) => ask(id, secret, keys[at])));
    const issued = answers.filter(({ pkiStatus }) => pkiStatus === 'success');
    assert.equal(issued.length, 1);
    assert.ok(answers.every(({ pkiStatus }) => pkiStatus !== null));
  });

  test('waits for an operator where nobody approved the device', async () => {
    await authority.admin.device('router-4');
    const key = makeKey('rsa-2048');
    assert.equal((await ask('router-4', await password(), key)).pkiStatus, 'pending');
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find(({ device }) => device === 'router-4')!;
    await authority.admin.client.perform('approveRequest', { id: request.id });
    const name = buildName([{ type: 'commonName', value: 'router-4' }]);
    const answer = await client.ask({
      messageType: '20',
      content: issuerAndSubject(client.cas[0]!, name),
      key,
      signer: selfSigned(key, name),
      transactionId: 'router-4',
    });
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('is not used up by a device that the inventory does not have', async () => {
    const secret = await password();
    const key = makeKey('rsa-2048');
    assert.equal((await ask('router-5', secret, key)).pkiStatus, 'failure');
    assert.ok(objections(await newest()).includes('device-known'));
    await authority.admin.device('router-5', { approveFor: ['device'] });
    assert.equal((await ask('router-5', secret, key)).pkiStatus, 'success');
  });

  test('leaves a log that verifies', async () => {
    await authority.running.close();
    assert.deepEqual((await verifyLog(authority)).findings, []);
  });
});
