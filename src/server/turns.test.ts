import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { suite, test, type TestContext } from 'node:test';
import { RawConnection } from '../../test/harness/raw-connection.ts';
import { startListener } from './listener.ts';

const get = (path: number | string) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const several = (count: number, from = 0) =>
  Array.from({ length: count }, (_, number) => get(from + number)).join('');
const answerWith = (response: ServerResponse, body: string, headers: Record<string, string> = {}) =>
  response.writeHead(200, { 'Content-Length': String(body.length), ...headers }).end(body);

/** A peer of a listener whose answers the test gives. */
async function openPeer(
  t: TestContext,
  answer: (response: ServerResponse, path: string) => Promise<unknown> | void,
  requestTimeoutSeconds = 30,
) {
  const begun: string[] = [];
  const listener = await startListener({
    name: 'public',
    address: '127.0.0.1',
    port: 0,
    tls: null,
    maximumConnections: 40,
    requestTimeoutSeconds,
    maximumHeaderBytes: 16_384,
    handler: async ({ url }, response) => {
      begun.push(url!.slice(1));
      await answer(response, url!.slice(1));
    },
    report: (error) => t.diagnostic(String(error)),
  });
  const peer = await RawConnection.open({ url: `http://127.0.0.1:${listener.port}`, trust: '' });
  t.after(async () => {
    peer.close();
    await listener.close();
  });
  const bodies = async (count: number) => {
    const all: string[] = [];
    while (all.length < count) all.push((await peer.answer())!.body);
    return all;
  };
  return { begun, peer, bodies };
}

const names = (count: number) => Array.from({ length: count }, (_, number) => String(number));

suite('requests that are sent ahead', () => {
  test('of something that is no request are answered first, and 400 comes last', async (t) => {
    const { peer, begun } = await openPeer(t, async (response, path) => {
      await delay(20);
      answerWith(response, path);
    });
    peer.write(`${several(2)}no request at all\r\n\r\n`);
    const answers = [await peer.answer(), await peer.answer(), await peer.answer()];
    assert.deepEqual(
      answers.map((answer) => answer?.status),
      [200, 200, 400],
    );
    assert.deepEqual(begun, ['0', '1']);
    assert.equal(await peer.answer(), null);
  });

  test('are begun one after the other, and answered in their order', async (t) => {
    let underWay = 0;
    const { peer, bodies } = await openPeer(t, async (response, path) => {
      underWay += 1;
      assert.equal(underWay, 1);
      await delay(2);
      underWay -= 1;
      answerWith(response, path);
    });
    peer.write(several(17));
    assert.deepEqual(await bodies(17), names(17));
  });

  test('are not read while others wait, and lost is none', async (t) => {
    const first = Promise.withResolvers<void>();
    const { begun, peer, bodies } = await openPeer(t, async (response, path) => {
      if (path === '0') await first.promise;
      answerWith(response, path);
    });
    peer.write(several(2));
    await delay(50);
    // With those they would be too many.
    peer.write(several(16, 2));
    await delay(50);
    assert.deepEqual(begun, ['0']);
    first.resolve();
    assert.deepEqual(await bodies(18), names(18));
  });

  test('wait for a peer that reads nothing', async (t) => {
    const body = 'x'.repeat(8_000_000);
    const { begun, peer, bodies } = await openPeer(t, (response) => void answerWith(response, body));
    peer.socket.pause();
    peer.write(several(3));
    await delay(200);
    assert.deepEqual(begun, ['0']);
    peer.socket.resume();
    assert.ok((await bodies(3)).every((each) => each === body));
  });

  test('end with a peer that reads nothing for as long as a request may take', async (t) => {
    const closed = Promise.withResolvers<void>();
    const answer = (response: ServerResponse) => {
      response.once('close', closed.resolve);
      answerWith(response, 'x'.repeat(20_000_000));
    };
    const { begun, peer } = await openPeer(t, answer, 1);
    peer.socket.pause();
    peer.write(several(2));
    await closed.promise;
    assert.deepEqual(begun, ['0']);
  });

  test('are cut off where there are more than anybody sends', async (t) => {
    const { begun, peer } = await openPeer(t, () => new Promise(() => undefined));
    peer.write(several(18));
    assert.equal(await peer.answer(), null);
    assert.deepEqual(begun, ['0']);
  });

  test('are not begun behind an answer that ends the connection', async (t) => {
    const { begun, peer } = await openPeer(t, async (response, path) => {
      await delay(2);
      answerWith(response, path, path === '1' ? { Connection: 'close' } : {});
    });
    peer.write(several(5));
    for (const path of names(2)) assert.equal((await peer.answer())?.body, path);
    assert.equal(await peer.answer(), null);
    assert.deepEqual(begun, names(2));
  });

  test('are not begun for a peer that has reset the connection', async (t) => {
    const { begun, peer } = await openPeer(t, async (response, path) => {
      await delay(50);
      answerWith(response, path);
    });
    peer.write(several(5));
    await delay(10);
    peer.socket.resetAndDestroy();
    await delay(200);
    assert.deepEqual(begun, ['0']);
  });
});
