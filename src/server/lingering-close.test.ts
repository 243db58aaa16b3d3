import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { RawConnection } from '../../test/harness/raw-connection.ts';
import { startListener } from './listener.ts';

const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n';

/** A listener that answers before it has the body, and a peer that got the answer. */
async function openAnswered(t: TestContext) {
  const listener = await startListener({
    name: 'public',
    address: '127.0.0.1',
    port: 0,
    tls: null,
    maximumConnections: 40,
    requestTimeoutSeconds: 30,
    maximumHeaderBytes: 16_384,
    handler: async (_request, response) =>
      void response.writeHead(413, { 'Content-Length': '0', Connection: 'close' }).end(),
    report: (error) => t.diagnostic(String(error)),
  });
  const peer = await RawConnection.open({ url: `http://127.0.0.1:${listener.port}`, trust: '' });
  t.after(async () => {
    peer.close();
    await listener.close();
  });
  const ended = once(peer.socket, 'end');
  peer.write(post);
  assert.equal((await peer.answer())?.status, 413);
  await ended;
  return peer;
}

/** Sends on, and resolves when that is no longer possible. */
async function sendUntilCut({ socket }: RawConnection): Promise<void> {
  const sending = setInterval(() => socket.write('A'), 5);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(sending);
}

test('a peer that goes on to send is read behind the last answer, and cut after five seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const peer = await openAnswered(t);
  t.mock.timers.tick(4999);
  for (let time = 0; time < 3; time += 1) {
    await new Promise((resolve) => peer.socket.write('A'.repeat(100_000), resolve));
  }
  assert.equal(peer.socket.errored, null);
  t.mock.timers.tick(1);
  await sendUntilCut(peer);
});

test('a peer that sends another request behind the last answer is cut at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const peer = await openAnswered(t);
  peer.write(`${'A'.repeat(1_000_000)}${post}`);
  await sendUntilCut(peer);
});
