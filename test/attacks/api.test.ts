import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { callEntriesOf, type ApiAnswer, type ApiRequest, call, machine, withApi } from '../harness/api.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { TestCa } from '../harness/pki.ts';

const cleanup = suiteCleanup();
type Running = Awaited<ReturnType<typeof authorityInProcess>>;
const hour = 3_600_000;

/** The answer, and in the log the one objection. */
async function assertRefused(
  authority: Running,
  answer: ApiAnswer,
  status: number,
  reason: string,
): Promise<void> {
  assert.equal(answer.status, status, answer.text);
  const entry = (await callEntriesOf(authority)).at(-1)!;
  assert.deepEqual([entry.outcome, entry.reason], ['refused', reason]);
  assert.equal(answer.value['entry'], entry.id);
}

describe('what a machine may not do', () => {
  let authority: Running;
  let token: string;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => withApi(yaml, ['maximumBodyBytes: 4096']));
    token = await machine(authority, 'mdm');
    for (const id of ['laptop-1', 'laptop-2']) await authority.admin.device(id);
    await authority.admin.device('iot-1', { deviceClass: 'iot' });
  });

  const wanted = { device: 'laptop-1', template: 'device' };
  const create = (request: ApiRequest = {}) =>
    call(authority, '/v1/secrets', { token, json: wanted, ...request });
  const refused = (answer: ApiAnswer, status: number, reason: string) =>
    assertRefused(authority, answer, status, reason);

  test('a token of one template asks for another', async () => {
    await refused(await create({ json: { device: 'iot-1', template: 'iot' } }), 403, 'template');
    const entry = (await callEntriesOf(authority)).at(-1)!;
    assert.deepEqual(entry.detail, { device: 'iot-1', template: 'iot' });
    assert.equal(entry.machine, 'mdm');
  });

  test('a token of one scope is used for another', async () => {
    const only = await machine(authority, 'lists', { scopes: ['secrets:list'] });
    await refused(await create({ token: only }), 403, 'scope');
    assert.equal((await call(authority, '/v1/secrets', { token: only })).status, 200);
    const creates = await machine(authority, 'creates', { scopes: ['secrets:create'] });
    await refused(await call(authority, '/v1/secrets', { token: creates }), 403, 'scope');
    const made = (await create({ token: creates })).value['id'];
    const path = `/v1/secrets/${String(made)}/revoke`;
    await refused(await call(authority, path, { method: 'POST', token: creates }), 403, 'scope');
  });

  test("a token voids an operator's secret, or another machine's, or a secret that there is not", async () => {
    const { id } = await authority.admin.client.perform('createSecret', wanted);
    const other = await machine(authority, 'other');
    const made = await create({ token: other });
    const answers: ApiAnswer[] = [];
    for (const each of [id, String(made.value['id'])]) {
      const answer = await call(authority, `/v1/secrets/${each}/revoke`, { method: 'POST', token });
      await refused(answer, 404, 'not-own');
      answers.push(answer);
    }
    const nothing = await call(authority, '/v1/secrets/S-0/revoke', { method: 'POST', token });
    await refused(nothing, 404, 'act');
    // In the same words: whether there is such a secret is not told.
    const told = (answer: ApiAnswer) =>
      `${answer.status} ${String(answer.value['detail']).replace(/S-[0-9A-Z-]+/, 'ID')}`;
    assert.equal(new Set([...answers, nothing].map(told)).size, 1);
    const { items } = await authority.admin.client.perform('listSecrets', { state: 'void' });
    assert.deepEqual(items, []);
    const listed = await call(authority, '/v1/secrets', { token });
    assert.deepEqual(listed.value['items'], []);
  });

  test('acts of operators are not there, whatever the path looks like', async () => {
    for (const path of [
      '/v1/devices',
      '/v1/devices/laptop-1',
      '/v1/requests/R-1',
      '/v1/machines',
      '/v1/certificates',
      '/v1/log/entries',
      '/v1/policies',
      '/v1/status',
      '/log/checkpoint',
      '/v1/%73ecrets',
      '/v1/secrets/',
      '//v1/secrets',
      '/v1//secrets',
      '/v1/x/../secrets',
      '/v1/x/%2e%2e/secrets',
      '/v1%2fsecrets',
      '/v1/secrets/%2e%2e/revoke',
      '/v1/secrets;x',
      '/',
      `${authority.api}/v1/secrets`,
      '*',
    ]) {
      await refused(await call(authority, path, { token }), 404, 'path');
    }
    for (const path of [
      '/v1/requests/R-1/approve',
      '/v1/devices/import',
      '/v1/machines',
      '/v1/machines/mdm/rotate',
    ]) {
      await refused(await call(authority, path, { token, json: {} }), 404, 'path');
    }
  });

  test('there is no enrollment at this listener, and no API at those of enrollment', async () => {
    for (const path of ['/.well-known/est/cacerts', '/.well-known/est/device/simpleenroll', '/scep/device']) {
      await refused(await call(authority, path, { token }), 404, 'path');
    }
    const { origin } = new URL(authority.est);
    for (const path of ['/v1/secrets', '/v1/openapi.json', '/v1/hooks/jamf/device', '/certsrv/mscep_admin']) {
      assert.equal((await call(authority, path, { token, url: origin })).status, 404, path);
    }
  });

  test('other methods are none of these', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      const answer = await call(authority, '/v1/secrets', { token, method });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.allow, 'POST, GET');
    }
    assert.equal((await callEntriesOf(authority)).at(-1)?.reason, 'method');
  });

  test('a page in a browser asks, with what the browser has', async () => {
    const answer = await create({ headers: { origin: 'https://mdm.example.com' } });
    await refused(answer, 403, 'origin');
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
    await refused(await create({ headers: { 'content-type': 'text/plain' } }), 415, 'request');
  });

  test('a body is too large, no JSON, or says more than there is', async () => {
    const large = JSON.stringify({ ...wanted, remark: 'x'.repeat(5000) });
    await refused(await create({ body: large, json: undefined }), 413, 'request');
    await refused(await create({ body: '{"device":', json: undefined }), 400, 'request');
    await refused(await create({ json: { ...wanted, by: 'ada' } }), 400, 'request');
    await refused(await create({ json: [wanted] }), 400, 'request');
    const doubled = await call(authority, '/v1/secrets?limit=1&limit=2', { token });
    await refused(doubled, 400, 'request');
    const inQuery = await call(authority, '/v1/secrets?device=laptop-2', { token, json: wanted });
    await refused(inQuery, 400, 'request');
  });

  test("a device that cannot enroll gets no secret, and the act's own words are in the log", async () => {
    await refused(await create({ json: { ...wanted, device: 'nobody' } }), 404, 'act');
    const unknown = (await callEntriesOf(authority)).at(-1)!;
    // No device is named that nobody could erase.
    assert.deepEqual([unknown.detail, unknown.error?.message], [{ template: 'device' }, '']);
    await authority.admin.client.perform('suspendDevice', { id: 'laptop-2' });
    await refused(await create({ json: { ...wanted, device: 'laptop-2' } }), 409, 'act');
    const suspended = (await callEntriesOf(authority)).at(-1)!;
    assert.match(suspended.error?.message ?? '', /laptop-2 is suspended/);
    await refused(await create({ json: { ...wanted, lifetimeSeconds: 31_536_000 } }), 400, 'request');
  });
});

describe('who is no machine', () => {
  let authority: Running;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      withApi(yaml).replace('sources: [127.0.0.0/8]', 'sources: [127.0.0.0/28]'),
    );
    await authority.admin.device('laptop-1');
  });

  const ask = (request: ApiRequest) => call(authority, '/v1/secrets', request);

  async function unknown(request: ApiRequest, reason: string): Promise<void> {
    const answer = await ask(request);
    await assertRefused(authority, answer, 401, reason);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.equal(answer.value['detail'], 'no machine is known by this');
    const entry = JSON.stringify((await callEntriesOf(authority)).at(-1));
    for (const secret of [request.token, request.user?.[1]]) {
      if (secret !== undefined) assert.ok(!entry.includes(secret));
    }
  }

  test('nothing, nonsense, a guess, an operator: one answer to all, told apart in the log', async () => {
    const token = await machine(authority, 'mdm');
    await unknown({}, 'credential-missing');
    await unknown({ headers: { authorization: 'Negotiate abc' } }, 'credential-malformed');
    await unknown(
      { headers: { authorization: [`Bearer ${token}`, `Bearer ${token}`] } },
      'credential-malformed',
    );
    await unknown({ token: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }, 'token-unknown');
    await unknown({ token: token.toUpperCase() }, 'token-unknown');
    await unknown({ user: ['mdm', token] }, 'credential-malformed');
    assert.equal((await ask({ token })).status, 200);
  });

  test('a token that expired, was rotated out, or is of a machine that was revoked', async () => {
    const token = await machine(authority, 'phases', { lifetimeSeconds: 7200 });
    const rotated = await authority.admin.client.perform('rotateMachine', {
      name: 'phases',
      lifetimeSeconds: 7200,
    });
    assert.equal((await ask({ token })).status, 200);
    authority.advance(hour);
    await unknown({ token }, 'token-expired');
    assert.equal((await ask({ token: rotated.token })).status, 200);
    authority.advance(hour);
    await unknown({ token: rotated.token }, 'token-expired');
    const last = await authority.admin.client.perform('rotateMachine', { name: 'phases' });
    assert.equal((await ask({ token: last.token })).status, 200);
    const now = await authority.admin.client.perform('rotateMachine', { name: 'phases', overlapSeconds: 0 });
    await unknown({ token: last.token }, 'token-expired');
    // Whoever stole the token has made one more.
    await authority.admin.device('wanted-by-a-thief');
    const json = { device: 'wanted-by-a-thief', template: 'device' };
    const { id } = (await call(authority, '/v1/secrets', { token: now.token, json })).value;
    await authority.admin.client.perform('revokeMachine', { name: 'phases' });
    await unknown({ token: now.token }, 'machine-revoked');
    const { items } = await authority.admin.client.perform('listSecrets', {});
    assert.equal(items.find((each) => each.id === id)?.state, 'void');
    assert.equal((await callEntriesOf(authority)).at(-1)?.machine, 'phases');
  });

  test('the right token from elsewhere; what a proxy would say of the address is read nowhere', async () => {
    const token = await machine(authority, 'at-home', { sources: ['127.0.0.2/32'] });
    assert.equal((await ask({ token, localAddress: '127.0.0.2' })).status, 200);
    await unknown({ token, localAddress: '127.0.0.3' }, 'machine-source');
    const headers = {
      'x-forwarded-for': '127.0.0.2',
      'x-real-ip': '127.0.0.2',
      forwarded: 'for=127.0.0.2',
      'client-cert': ':AAAA:',
      'x-ssl-client-cert': 'AAAA',
    };
    await unknown({ token, localAddress: '127.0.0.3', headers }, 'machine-source');
    assert.equal((await callEntriesOf(authority)).at(-1)?.source.address, '127.0.0.3');
    await assertRefused(authority, await ask({ token, localAddress: '127.0.0.77' }), 403, 'source-range');
  });

  test('a certificate that nobody pinned, of the right name and issuer, beside the right token or alone', async () => {
    const localAddress = '127.0.0.4';
    const ca = TestCa.root('Machines');
    const subject = [{ type: 'commonName', value: 'pinned' }];
    const own = ca.endEntity({ subject });
    const token = await machine(authority, 'pinned');
    await authority.admin.client.perform('pinCertificate', { name: 'pinned', certificate: own.pem });
    assert.equal((await ask({ client: own, localAddress })).status, 200);
    assert.equal((await ask({ client: own, token, localAddress })).status, 200);
    const sameKey = ca.endEntity({ subject, key: own.key });
    for (const client of [ca.endEntity({ subject }), sameKey]) {
      await unknown({ client, localAddress }, 'certificate-unknown');
      await unknown({ client, token, localAddress }, 'certificate-unknown');
    }
    // Neither hides the other.
    await unknown({ client: own, token: `${token}x`, localAddress }, 'token-unknown');
    const other = await machine(authority, 'another');
    await unknown({ client: own, token: other, localAddress }, 'credentials-differ');

    const next = ca.endEntity({ subject });
    await authority.admin.client.perform('pinCertificate', {
      name: 'pinned',
      certificate: next.pem,
      instead: true,
    });
    await unknown({ client: own, localAddress }, 'certificate-unpinned');
    assert.equal((await ask({ client: next, localAddress })).status, 200);
  });

  test('a pinned certificate that has expired', async () => {
    const localAddress = '127.0.0.5';
    const now = Date.now() + 2 * hour;
    const subject = [{ type: 'commonName', value: 'short' }];
    const short = TestCa.root('Machines').endEntity({
      subject,
      notBefore: now - 9 * hour,
      notAfter: now + hour,
    });
    await machine(authority, 'short');
    await authority.admin.client.perform('pinCertificate', { name: 'short', certificate: short.pem });
    assert.equal((await ask({ client: short, localAddress })).status, 200);
    authority.advance(2 * hour);
    await unknown({ client: short, localAddress }, 'certificate-expired');
  });
});

describe('a flood', () => {
  test('of guesses is told to wait, and keeps nobody out who has a token', async () => {
    const authority = await authorityInProcess(cleanup, withApi);
    const token = await machine(authority, 'mdm');
    const guess = `sallyport_m_${'A'.repeat(43)}`;
    const statuses: number[] = [];
    for (let at = 0; at < 25; at += 1) {
      statuses.push((await call(authority, '/v1/secrets', { token: guess })).status);
    }
    assert.deepEqual(statuses, [...Array<number>(20).fill(401), ...Array<number>(5).fill(429)]);
    const limited = await call(authority, '/v1/secrets', { token: guess });
    await assertRefused(authority, limited, 429, 'guess-rate');
    assert.match(limited.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    assert.equal((await call(authority, '/v1/secrets', { token })).status, 200);
    assert.equal(
      (await call(authority, '/v1/secrets', { token: guess, localAddress: '127.0.0.2' })).status,
      401,
    );
  });

  test('of calls is told to wait, whoever makes them, and enrollment is counted apart', async () => {
    const authority = await authorityInProcess(cleanup, (yaml) =>
      withApi(yaml).replace(/source: \{ burst: \d+, count: \d+/, 'source: { burst: 3, count: 3'),
    );
    const token = await machine(authority, 'mdm');
    for (let at = 0; at < 3; at += 1) {
      assert.equal((await call(authority, '/v1/secrets', { token })).status, 200);
    }
    const limited = await call(authority, '/v1/secrets', { token });
    await assertRefused(authority, limited, 429, 'source-rate');
    assert.match(limited.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    const { origin } = new URL(authority.est);
    assert.equal((await call(authority, '/.well-known/est/cacerts', { url: origin })).status, 200);
    authority.advance(60_000);
    assert.equal((await call(authority, '/v1/secrets', { token })).status, 200);
  });
});

test('where certificates are required, who sends none is gone before a request is read', async () => {
  const authority = await authorityInProcess(cleanup, (yaml) => withApi(yaml, ['clients: required']));
  const token = await machine(authority, 'mdm');
  const before = (await entriesOf(authority)).length;
  await assert.rejects(call(authority, '/v1/secrets', { token }), /ECONNRESET|socket hang up|EPIPE/);
  assert.equal((await entriesOf(authority)).length, before);
  const client = TestCa.root('Machines').endEntity({ subject: [{ type: 'commonName', value: 'mdm' }] });
  await assertRefused(
    authority,
    await call(authority, '/v1/secrets', { token, client }),
    401,
    'certificate-unknown',
  );
  await authority.admin.client.perform('pinCertificate', { name: 'mdm', certificate: client.pem });
  assert.equal((await call(authority, '/v1/secrets', { token, client })).status, 200);
});
