import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { buildName } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf, requestEntriesOf } from '../harness/entries.ts';
import { issuerAndSubject, ScepClient, selfSigned } from '../harness/scep-client.ts';

const challenge = 'the same for every printer';

describe('a static challenge', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => {
      const file = path.join(tmpdir(), `sallyport-static-${process.pid}`);
      cleanup.after(() => rmSync(file));
      writeFileSync(file, challenge, { mode: 0o600 });
      return yaml.replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000').replace(
        '    authentication: [secret]\n',
        `    authentication: [secret, dangerousStaticChallenge]
    dangerousStaticChallenge:
      challenge: { file: ${file} }
      limit: { burst: 3, count: 3, period: 1d }
`,
      );
    });
  });
  let devices = 0;
  const newDevice = async (approveFor = ['device']) => {
    const id = `printer-${(devices += 1)}`;
    await authority.admin.device(id, { approveFor });
    return { id, key: makeKey('rsa-2048') };
  };
  const ask = async (
    { id, key }: Awaited<ReturnType<typeof newDevice>>,
    challengePassword: string,
    template = 'device',
  ) => {
    const client = await ScepClient.at(`${authority.scep}/${template}`);
    return client.ask({ content: csrFor(id, key, { challengePassword }), key, transactionId: id });
  };
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;
  const objections = ({ verdict }: RequestEntry) => verdict.objections.map(({ control }) => control);

  test('is a finding at the start, and its value is nowhere in the log', async () => {
    const entries = await entriesOf(authority);
    assert.match(JSON.stringify(entries), /template device takes one password from all devices/);
    assert.ok(!JSON.stringify(entries).includes(challenge));
  });

  test('enrolls the device of the inventory that the request names', async () => {
    const device = await newDevice();
    const answer = await ask(device, challenge);
    assert.equal(answer.pkiStatus, 'success', answer.text);
    const { observations } = await newest();
    assert.deepEqual(observations.challenge, { kind: 'static', matches: true });
    assert.equal(observations.device?.id, device.id);
    assert.equal(observations.secret, null);
  });

  test('names no device that the inventory does not have', async () => {
    const answer = await ask({ id: 'a-stranger', key: makeKey('rsa-2048') }, challenge);
    assert.equal(answer.pkiStatus, 'failure');
    assert.ok(objections(await newest()).includes('device-known'));
  });

  test('is none where it is wrong, and then is looked up as a secret', async () => {
    const answer = await ask(await newDevice(), `${challenge} `);
    assert.equal(answer.pkiStatus, 'failure');
    const entry = await newest();
    assert.equal(entry.observations.challenge, undefined);
    assert.ok(objections(entry).includes('secret-known'));
  });

  test('leaves one-time secrets what they are', async () => {
    const device = await newDevice();
    const answer = await ask(device, await authority.admin.secret(device.id));
    assert.equal(answer.pkiStatus, 'success', answer.text);
    assert.equal((await newest()).observations.challenge, undefined);
  });

  test('of one template is none of another', async () => {
    const answer = await ask(await newDevice(), challenge, 'server');
    assert.equal(answer.pkiStatus, 'failure');
    assert.ok(objections(await newest()).includes('secret-known'));
  });

  test('of a request that was held is not asked for again by the poll', async () => {
    const device = await newDevice([]);
    assert.equal((await ask(device, challenge)).pkiStatus, 'pending');
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('approveRequest', {
      id: items.find((each) => each.device === device.id)!.id,
    });
    const client = await ScepClient.at(`${authority.scep}/device`);
    const name = buildName([{ type: 'commonName', value: device.id }]);
    const { key } = device;
    const answer = await client.ask({
      messageType: '20',
      content: issuerAndSubject(client.cas[0]!, name),
      key,
      signer: selfSigned(key, name),
      transactionId: device.id,
    });
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('has a limit of its own, which secrets do not share', async () => {
    // Three were spent: one issued, one that waited, and that one issued.
    const device = await newDevice();
    const answer = await ask(device, challenge);
    assert.equal(answer.pkiStatus, 'failure');
    assert.deepEqual(objections(await newest()), ['challenge-limit']);
    const other = await newDevice();
    assert.equal((await ask(other, await authority.admin.secret(other.id))).pkiStatus, 'success');
  });
});
