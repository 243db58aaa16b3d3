import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type ApiRequest, call, callEntriesOf, machine, withApi } from '../harness/api.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { verifyLog } from '../harness/log-findings.ts';

const cleanup = suiteCleanup();
const hooks = [
  'jamf: { experimental: true, device: { column: serialNumber }, lifetime: 10m }',
  'radius: { device: { attribute: User-Name, column: id } }',
];

describe('hooks of other systems', () => {
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let token: string;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => withApi(yaml, hooks));
    token = await machine(authority, 'jamf', { scopes: ['secrets:create'] });
    const list = JSON.stringify([
      { id: 'laptop-1', class: 'laptop', serial_number: 'C02AB' },
      { id: 'laptop-2', class: 'laptop' },
    ]);
    const approveFor = ['device'];
    const report = await authority.admin.client.perform('importDevices', {
      format: 'json',
      list,
      approveFor,
    });
    assert.ok(report.imported);
  });

  const event = (targetDevice: object, webhookEvent = 'SCEPChallenge') => ({
    webhook: { id: 1, name: 'SCEP', webhookEvent, eventTimestamp: 1_800_000_000_000 },
    event: { payloadIdentifier: 'x', payloadTypes: ['com.apple.security.scep'], targetDevice },
  });
  const jamf = (json: unknown, request: ApiRequest = {}) =>
    call(authority, '/v1/hooks/jamf/device', { user: ['jamf', token], json, ...request });
  const radius = (json: unknown, request: ApiRequest = {}) =>
    call(authority, '/v1/hooks/radius/device', { user: ['jamf', token], json, ...request });
  const last = async () => (await callEntriesOf(authority)).at(-1)!;

  async function enroll(id: string, secret: string): Promise<number> {
    const body = base64(csrFor(id, makeKey()));
    const url = `${authority.est}/simpleenroll`;
    return (await est({ url, body, user: [id, secret], trust: authority.trustPem })).status;
  }

  test('Jamf Pro gets the challenge alone, and the device of that serial number enrolls with it', async () => {
    const answer = await jamf(event({ serialNumber: 'C02AB', udid: 'A-1', deviceName: 'Ida' }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=us-ascii');
    assert.match(answer.text, /^[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4}$/);
    const { items } = await authority.admin.client.perform('listSecrets', { state: 'live' });
    const { device, createdBy, createdAt, expiresAt } = items.at(-1)!;
    assert.deepEqual([device, createdBy], ['laptop-1', 'machine:jamf']);
    assert.equal(Date.parse(expiresAt) - Date.parse(createdAt), 600_000);
    assert.equal(await enroll('laptop-1', answer.text), 200);
  });

  test('a device that is not there, another event, an event without a device: refused, and in the log', async () => {
    const live = async () =>
      (await authority.admin.client.perform('listSecrets', { state: 'live' })).items.length;
    const count = await live();
    assert.equal((await jamf(event({ serialNumber: 'nobody' }))).status, 404);
    assert.equal((await last()).reason, 'device');
    for (const odd of [
      event({ serialNumber: '' }),
      event({ udid: 'C02AB' }),
      event({ serialNumber: ['C02AB'] }),
      event({ serialNumber: 'C02AB' }, 'ComputerAdded'),
      { webhook: { webhookEvent: 'SCEPChallenge' }, event: {} },
      {},
    ]) {
      assert.equal((await jamf(odd)).status, 400, JSON.stringify(odd));
      const { reason, act, machine: by } = await last();
      assert.deepEqual([reason, act, by], ['request', 'secret.create', 'jamf']);
    }
    assert.equal(await live(), count);
  });

  test('the user name is the machine, and the template one of its own', async () => {
    const json = event({ serialNumber: 'C02AB' });
    const other = await jamf(json, { user: ['other', token] });
    assert.equal(other.status, 401);
    assert.match(other.headers['www-authenticate'] ?? '', /^Basic /);
    assert.equal((await last()).reason, 'credentials-differ');
    const iot = await call(authority, '/v1/hooks/jamf/iot', { token, json });
    assert.equal(iot.status, 403);
    assert.equal((await last()).reason, 'template');
    const lists = await machine(authority, 'lists', { scopes: ['secrets:list'] });
    assert.equal((await jamf(json, { user: ['lists', lists] })).status, 403);
    assert.equal((await last()).reason, 'scope');
  });

  test('rlm_rest gets the secret in its control list, with no expansion', async () => {
    const attributes = {
      'User-Name': { type: 'string', value: ['laptop-2'] },
      'NAS-IP-Address': { type: 'ipaddr', value: ['192.0.2.1'] },
    };
    const { status, value, text } = await radius(attributes);
    assert.equal(status, 200, text);
    assert.deepEqual(Object.keys(value), ['control:Sallyport-Secret']);
    const {
      do_xlat,
      is_json,
      op,
      value: values,
    } = value['control:Sallyport-Secret'] as Record<string, unknown>;
    assert.deepEqual([do_xlat, is_json, op], [false, false, ':=']);
    assert.equal(await enroll('laptop-2', (values as string[])[0]!), 200);

    const unknown = { 'User-Name': { type: 'string', value: ['nobody'] } };
    assert.equal((await radius(unknown)).status, 404);
    assert.equal((await last()).reason, 'device');
    for (const odd of [
      {},
      { 'Calling-Station-Id': { type: 'string', value: ['laptop-2'] } },
      { 'User-Name': { type: 'string', value: ['laptop-2', 'laptop-1'] } },
      { 'User-Name': { type: 'string', value: [] } },
      { 'User-Name': 'laptop-2' },
    ]) {
      assert.equal((await radius(odd)).status, 400, JSON.stringify(odd));
      assert.equal((await last()).reason, 'request');
    }
  });
});

describe('the page of NDES', () => {
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let token: string;
  before(async () => {
    const ndes = 'ndes: { template: device, maximumLive: 2 }';
    authority = await authorityInProcess(cleanup, (yaml) => withApi(yaml, [ndes]));
    token = await machine(authority, 'fleet', { scopes: ['secrets:create'] });
  });

  const view = async (request: ApiRequest = {}) => {
    const answer = await call(authority, '/certsrv/mscep_admin/', { user: ['fleet', token], ...request });
    return { ...answer, page: new TextDecoder('utf-16le').decode(answer.bytes) };
  };
  const last = async () => (await callEntriesOf(authority)).at(-1)!;

  test('shows a password at each view, as NDES does, for no device; with so many live, its cache is full', async () => {
    const passwords = new Set<string>();
    for (const path of ['/certsrv/mscep_admin', '/certsrv/mscep_admin/']) {
      const { status, headers, bytes } = await call(authority, path, { user: ['fleet', token] });
      assert.deepEqual(
        [status, headers['content-type'], headers['cache-control']],
        [200, 'text/html', 'no-store'],
      );
      assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe]);
      // What Fleet looks for, and what scripts do.
      const page = new TextDecoder('utf-16').decode(bytes);
      const found = /The enrollment challenge password is: <B> (?<password>\S*)/.exec(page)!.groups![
        'password'
      ]!;
      assert.match(found, /^[A-F0-9]{16}$/);
      passwords.add(found);
    }
    assert.equal(passwords.size, 2);
    const { items } = await authority.admin.client.perform('listSecrets', {});
    assert.deepEqual(
      items.map(({ device, template, createdBy }) => [device, template, createdBy]),
      [
        [null, 'device', 'machine:fleet'],
        [null, 'device', 'machine:fleet'],
      ],
    );
    const full = await view();
    assert.equal(full.status, 200);
    assert.match(full.page, /The password cache is full\./);
    assert.deepEqual([(await last()).outcome, (await last()).reason], ['refused', 'password-cache']);
    authority.advance(3_600_000);
    assert.match((await view()).page, /challenge password is/);
  });

  test('says in its words who may not, and creates nothing for who is unknown, or for a page that makes a browser ask', async () => {
    const size = (await authority.admin.client.perform('listSecrets', {})).items.length;
    const iot = await machine(authority, 'iot', { templates: ['iot'] });
    const { status, page } = await view({ user: ['iot', iot] });
    assert.equal(status, 403);
    assert.match(page, /You do not have sufficient permission to enroll with SCEP\./);
    assert.equal((await last()).reason, 'template');
    const lists = await machine(authority, 'lists', { scopes: ['secrets:list'] });
    assert.match((await view({ user: ['lists', lists] })).page, /sufficient permission/);
    assert.equal((await last()).reason, 'scope');
    const unknown = await view({ user: ['fleet', iot] });
    assert.equal(unknown.status, 401);
    assert.match(unknown.headers['www-authenticate'] ?? '', /^Basic /);
    assert.equal((await view({ headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
    assert.equal((await last()).reason, 'origin');
    assert.equal((await authority.admin.client.perform('listSecrets', {})).items.length, size);
  });

  test('leaves a log that verifies', async () => {
    await authority.running.close();
    assert.deepEqual((await verifyLog(authority)).findings, []);
  });
});

test('where they are not configured, they are not there', async () => {
  const authority = await authorityInProcess(cleanup, withApi);
  const token = await machine(authority, 'jamf');
  for (const path of ['/v1/hooks/jamf/device', '/v1/hooks/radius/device', '/certsrv/mscep_admin']) {
    assert.equal((await call(authority, path, { token, json: {} })).status, 404);
  }
});
