import assert from 'node:assert/strict';
import { connect as connectPlain } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { est } from '../harness/est-client.ts';

const cacerts = 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n';

/** Sends many requests at once and resets the connection behind them. */
async function sendAndReset({ est: url, trustPem }: ServedAuthority): Promise<void> {
  const { hostname: host, port } = new URL(url);
  await new Promise<void>((resolve) => {
    const plain = connectPlain({ host, port: Number(port) });
    plain.once('close', () => resolve());
    const socket = connectTls({ socket: plain, ca: trustPem }, () => {
      socket.write(cacerts.repeat(1200), () => plain.resetAndDestroy());
    });
    for (const each of [plain, socket]) each.on('error', () => undefined);
  });
}

/** The authority is a process of its own here: what nobody catches would end it. */
describe('a peer that resets the connection behind its requests', () => {
  const cleanup = suiteCleanup();

  test('ends no process, and what is in the log of it has its address', async () => {
    const authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
    const from = await logSize(authority);
    for (let time = 0; time < 20; time += 1) await sendAndReset(authority);
    const answer = await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
    assert.ok([200, 429].includes(answer.status), answer.text);
    const entries = await requestEntriesOf(authority, from);
    const addresses = new Set(entries.map(({ observations }) => observations.source.address));
    assert.deepEqual([...addresses], ['127.0.0.1']);
  });
});
