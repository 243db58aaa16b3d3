import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import { startListener } from './listener.ts';

async function openListener(t: TestContext, maximumConnections: number) {
  const faults: unknown[] = [];
  const listener = await startListener({
    name: 'public',
    address: '127.0.0.1',
    port: 0,
    tls: null,
    maximumConnections,
    requestTimeoutSeconds: 30,
    maximumHeaderBytes: 16_384,
    handler: async (_request, response) => void response.end('answer'),
    report: (error) => faults.push(error),
  });
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await listener.close();
  });
  return {
    faults,
    /** Connects and says nothing. Whether the listener keeps the connection or ends it at once. */
    async isKept(localAddress: string): Promise<boolean> {
      const socket = connect({ port: listener.port, host: '127.0.0.1', localAddress });
      socket.on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      socket.resume();
      // The listener takes connections in their order: when it has answered a later one, it has decided about this one.
      await askListener(listener.port, '127.0.0.1');
      return !socket.closed;
    },
    /** Ends the oldest silent connection. */
    async endOne() {
      sockets.shift()?.destroy();
      await askListener(listener.port, '127.0.0.1');
    },
    ask: (localAddress: string) => askListener(listener.port, localAddress),
  };
}

async function askListener(port: number, localAddress: string): Promise<string> {
  const [response] = await once(get({ host: '127.0.0.1', port, localAddress, agent: false }), 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

suite('silent connections of one source', () => {
  test('fill a quarter of the listener, and the others are served', async (t) => {
    const listener = await openListener(t, 40);
    for (let at = 0; at < 10; at += 1) assert.equal(await listener.isKept('127.0.0.2'), true, String(at));
    for (let at = 0; at < 35; at += 1) assert.equal(await listener.isKept('127.0.0.2'), false, String(at));
    assert.equal(await listener.ask('127.0.0.1'), 'answer');
  });

  test('are reported once, for all of the minute', async (t) => {
    const listener = await openListener(t, 40);
    for (let at = 0; at < 10; at += 1) await listener.isKept('127.0.0.2');
    assert.equal(listener.faults.length, 0);
    for (let at = 0; at < 3; at += 1) await listener.isKept('127.0.0.2');
    assert.equal(listener.faults.length, 1);
    assert(
      isSallyportError(listener.faults[0], 'too-large') && /127\.0\.0\.2/.test(listener.faults[0].message),
    );
  });

  test('make room when they end', async (t) => {
    const listener = await openListener(t, 40);
    for (let at = 0; at < 10; at += 1) await listener.isKept('127.0.0.2');
    assert.equal(await listener.isKept('127.0.0.2'), false);
    await listener.endOne();
    assert.equal(await listener.isKept('127.0.0.2'), true);
  });

  test('may be eight of a small listener', async (t) => {
    const listener = await openListener(t, 16);
    for (let at = 0; at < 8; at += 1) assert.equal(await listener.isKept('127.0.0.2'), true, String(at));
    assert.equal(await listener.isKept('127.0.0.2'), false);
  });
});
