import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { call, refusal, type Reply, retryAfterSeconds } from './call.ts';

const { signal: interruption } = new AbortController();
const reply = (status: number, headers = {}, body = ''): Reply => ({
  status,
  headers,
  body: Buffer.from(body),
});

async function answering(t: TestContext, octets: number): Promise<string> {
  const server = createServer((_, response) => response.end(Buffer.alloc(octets)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

suite('what a server answers', () => {
  test('is read up to 1 MiB', async (t) => {
    const longest = await call(await answering(t, 1024 * 1024), { ca: '', interruption });
    assert.equal(longest.body.length, 1024 * 1024);
    const longer = call(await answering(t, 1024 * 1024 + 1), { ca: '', interruption });
    await assert.rejects(longer, { code: 'store', message: /answers without end/ });
  });

  test('is waited for until the work is interrupted', async (t) => {
    const server = createServer(() => interrupted.abort());
    const interrupted = new AbortController();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const held = call(url, { ca: '', interruption: interrupted.signal });
    await assert.rejects(held, { code: 'store', message: /does not answer: The operation was aborted/ });
  });

  test('says when to ask again', () => {
    for (const status of [202, 429, 503]) {
      assert.equal(retryAfterSeconds(reply(status, { 'retry-after': '5' })), 5);
      assert.equal(retryAfterSeconds(reply(status)), 60);
    }
    for (const status of [200, 403, 502]) assert.equal(retryAfterSeconds(reply(status)), null);
  });

  test('is a refusal, or a fault of somebody else', () => {
    assert.deepEqual(refusal(reply(403, {}, 'no\n')).message, 'the server refused it (403): no');
    assert.equal(refusal(reply(403)).code, 'forbidden');
    assert.equal(refusal(reply(502)).code, 'store');
  });
});
