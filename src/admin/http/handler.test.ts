import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { ada, openWorld, type World } from '../admin.fixture.ts';
import type { ActName } from '../acts.ts';
import { routes } from '../routes.ts';
import { adminHandler } from './handler.ts';
import { requestFor } from './route-table.ts';

interface Served extends World {
  ask(call: {
    method?: string;
    path: string;
    headers?: OutgoingHttpHeaders;
    body?: string | Buffer;
    chunked?: boolean;
  }): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Record<string, unknown> }>;
}

async function serveWorld(t: TestContext): Promise<Served> {
  const world = await openWorld(t);
  const socketPath = join(world.folder, 'admin.sock');
  const server = createServer(adminHandler(world.admin, { usual: 4096, deviceList: 65_536 })).listen(
    socketPath,
  );
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(world, {
    ask: ({ method = 'POST', path, headers = {}, body, chunked = false }: Parameters<Served['ask']>[0]) =>
      new Promise<Awaited<ReturnType<Served['ask']>>>((resolve, reject) => {
        const length = body === undefined || chunked ? {} : { 'content-length': Buffer.byteLength(body) };
        const bearer = { authorization: `Bearer ${world.token}` };
        const call = request(
          { socketPath, method, path, agent: false, headers: { ...bearer, ...length, ...headers } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              const answer = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
              resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer });
            });
          },
        );
        call.once('error', reject);
        call.end(body);
      }),
  });
}

const retire = { path: '/v1/devices/laptop-7/retire', body: '{}' };

suite('who may ask', () => {
  test('without a token, or with a wrong one, nothing is done and nothing is told', async (t) => {
    const world = await serveWorld(t);
    await world.importDevice('laptop-7');
    const size = await world.size();
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${world.token}x`,
      `Basic ${world.token}`,
      `bearer  ${world.token}`,
    ];
    for (const authorization of wrong) {
      for (const call of [retire, { method: 'GET', path: '/v1/devices' }, { path: '/no/such/path' }]) {
        const { status, headers, body } = await world.ask({ ...call, headers: { authorization } });
        assert.equal(status, 401, authorization);
        assert.equal(headers['www-authenticate'], 'Bearer');
        assert.equal(body['code'], 'forbidden');
      }
    }
    assert.equal(await world.size(), size);
    assert.equal((await world.storage.admin.device('laptop-7'))?.state, 'expected');
  });

  test('the entry names the owner of the token', async (t) => {
    const world = await serveWorld(t);
    await world.importDevice('laptop-7');
    const { status, body } = await world.ask(retire);
    assert.equal(status, 200);
    assert.equal((await world.entry(body['logIndex'] as number))['operator'], ada.name);
  });
});

suite('bodies', () => {
  test('one that is longer than the limit is cut, announced or not', async (t) => {
    const world = await serveWorld(t);
    const body = JSON.stringify({ remark: 'x'.repeat(5000) });
    for (const chunked of [false, true]) {
      const answer = await world.ask({ ...retire, body, chunked });
      assert.equal(answer.status, 413);
      assert.equal(answer.body['code'], 'too-large');
    }
  });

  test('a list of devices may be longer, up to its own limit', async (t) => {
    const world = await serveWorld(t);
    const list = (rows: number) =>
      `id,class\n${Array.from({ length: rows }, (_, at) => `d-${at},laptop\n`).join('')}`;
    const post = (rows: number) =>
      world.ask({
        path: '/v1/devices/import',
        body: JSON.stringify({ format: 'csv', list: list(rows), dryRun: true }),
      });
    assert.equal((await post(1000)).body['devices'], 1000);
    assert.equal((await post(6000)).status, 413);
  });

  for (const [what, body, code] of [
    ['no JSON', '{', 'malformed'],
    ['no UTF-8', Buffer.from('{"remark":"\xFF"}', 'latin1'), 'malformed'],
    ['no object', '[]', 'malformed'],
    ['an unknown member', '{"remakr":"x"}', 'usage'],
    ['a member of another type', '{"remark":7}', 'usage'],
    ['what the path says already', '{"id":"laptop-8"}', 'usage'],
  ] as const) {
    test(`${what} is refused and nothing is changed`, async (t) => {
      const world = await serveWorld(t);
      await world.importDevice('laptop-7');
      const size = await world.size();
      const answer = await world.ask({ ...retire, body });
      assert.equal(answer.status, 400);
      assert.equal(answer.body['code'], code);
      assert.equal(await world.size(), size);
    });
  }

  test('another media type is refused', async (t) => {
    const world = await serveWorld(t);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await world.ask({ ...retire, headers })).status, 415);
  });
});

test('answers are problem documents (RFC 9457) with our code', async (t) => {
  const world = await serveWorld(t);
  const { status, headers, body } = await world.ask(retire);
  assert.equal(status, 404);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.deepEqual(
    { ...body, detail: '' },
    { type: 'about:blank', title: 'Not Found', status: 404, detail: '', code: 'not-found' },
  );
  const wrongMethod = await world.ask({ method: 'PUT', path: '/v1/secrets' });
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers['allow'], 'POST, GET');
});

test('a fault of ours is reported under the id that the operator is shown, and nothing else is told', async (t) => {
  const world = await serveWorld(t);
  world.admin.perform = () => Promise.reject(new TypeError('the inside of it'));
  const { status, body } = await world.ask(retire);
  assert.equal(status, 500);
  assert.doesNotMatch(String(body['detail']), /inside/);
  const [fault] = world.faults as { id: string; error: Error }[];
  assert.ok(String(body['detail']).includes(fault!.id));
  assert.match(fault!.error.message, /inside/);
});

test('arbitrary JSON to every act gives an answer below 500, and changes nothing', async (t) => {
  const world = await serveWorld(t);
  const size = await world.size();
  const names = Object.keys(routes) as ActName[];
  const plausible = fc.dictionary(
    fc.constantFrom(
      'format',
      'list',
      'dryRun',
      'device',
      'template',
      'lifetimeSeconds',
      'subject',
      'remark',
      'limit',
      'after',
      'lifts',
      'reason',
      'from',
    ),
    fc.oneof(fc.jsonValue(), fc.constantFrom('csv', 'json', 'device', 'no-such')),
  );
  const query = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.string({ minLength: 1 }),
      fc.oneof(fc.jsonValue(), plausible),
      query,
      async (name, id, value, more) => {
        const { method, path } = requestFor(name, { id });
        const [pathname] = path.split('?');
        const call =
          method === 'POST'
            ? { path: pathname!, body: JSON.stringify(value) }
            : { path: `${pathname}?${new URLSearchParams(more).toString()}` };
        const { status } = await world.ask({ method, ...call });
        assert.ok(status < 500, `${method} ${path} gave ${status}`);
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(world.faults, []);
  assert.equal(await world.size(), size);
});
