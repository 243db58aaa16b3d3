import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { suiteCleanup } from '../harness/cleanup.ts';
import { privateKeyPem } from '../harness/csr.ts';
import { TestCa } from '../harness/pki.ts';
import { converse } from './conversation.ts';
import type { Exchange } from './framing.ts';

/** What a server does wrong must be seen: each of these would pass unseen without its own rule. */
describe('a conversation', () => {
  const cleanup = suiteCleanup();
  const ca = TestCa.root('Example Root');
  const listener = ca.endEntity({
    subject: [{ type: 'commonName', value: 'localhost' }],
    subjectAltName: [{ kind: 'dns', value: 'localhost' }],
  });
  let url: string;
  /** Of the last connection, below TLS. */
  let plain: Socket;
  /** What the server does with what it gets. */
  let behave: (socket: TLSSocket) => void;
  before(async () => {
    const identity = { cert: listener.pem, key: privateKeyPem(listener.key) };
    const server = createServer({ ...identity, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => behave(socket));
    });
    server.on('connection', (socket) => (plain = socket));
    cleanup.after(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  const answer = (status: number, ...headers: string[]) =>
    `HTTP/1.1 ${[status, 'Content-Length: 0', 'Connection: keep-alive', ...headers].join('\r\n')}\r\n\r\n`;
  const ofEst = 'Content-Type: text/plain';
  const sent = (owed: Exchange['owed'], ...methods: string[]) => ({ bytes: Buffer.from('x'), owed, methods });

  async function conversation(
    exchange: Exchange,
    does: (socket: TLSSocket) => void,
    withinMilliseconds = 10_000,
  ) {
    behave = does;
    const exchanges = [exchange];
    const target = { url, trust: ca.pem, localAddress: '127.0.0.1', withinMilliseconds };
    const { problems, ...counts } = await converse(
      target,
      createSecureContext({ ca: ca.pem }),
      () => exchanges.shift() ?? null,
    );
    return { ...counts, problems: problems.map(({ kind }) => kind) };
  }

  test('of answered requests owes the log an entry for each that EST answered', async () => {
    const { problems, requests, byEst, mostEntries, outcomes } = await conversation(
      sent('each', 'GET', 'GET', 'GET'),
      (socket) => socket.write(answer(200, ofEst) + answer(202, 'Retry-After: 1') + answer(400)),
    );
    assert.deepEqual(
      { problems, requests, byEst, mostEntries },
      { problems: [], requests: 3, byEst: 2, mostEntries: 2 },
    );
    assert.deepEqual(outcomes, { 200: 1, 202: 1, '400 of the HTTP parser': 1 });
  });

  test('without an answer in time is a hang', async () => {
    for (const owed of ['each', 'one'] as const) {
      assert.deepEqual((await conversation(sent(owed, 'GET'), () => {}, 200)).problems, ['hang']);
    }
  });

  test('that does not end after the end of what is cut off is a hang', async () => {
    assert.deepEqual((await conversation(sent('any'), () => {}, 200)).problems, ['hang']);
  });

  test('that ends before the answer that is owed is a problem, and none where a refusal may cut it off', async () => {
    const ends = (socket: TLSSocket) => void socket.end();
    assert.deepEqual((await conversation(sent('each', 'GET'), ends)).problems, ['unanswered']);
    assert.deepEqual((await conversation(sent('one', 'GET'), ends)).problems, []);
    assert.deepEqual((await conversation(sent('any'), ends)).problems, []);
  });

  test('that is reset may have lost its answer where more was sent than is read at once, and is a problem otherwise', async () => {
    const resets = () => void plain.resetAndDestroy();
    const long = { ...sent('each', 'POST'), bytes: Buffer.alloc(20_000) };
    const { problems, outcomes, mostEntries } = await conversation(long, resets);
    assert.deepEqual([problems, outcomes, mostEntries], [[], { reset: 1 }, 1]);
    assert.deepEqual((await conversation(sent('each', 'GET'), resets)).problems, ['unanswered']);
    assert.deepEqual((await conversation(long, (socket) => void socket.end())).problems, ['unanswered']);
  });

  test('that ends after an answer that said so leaves open whether the next was handled', async () => {
    const { problems, byEst, mostEntries } = await conversation(sent('each', 'GET', 'GET'), (socket) =>
      socket.end(answer(200, ofEst).replace('keep-alive', 'close')),
    );
    assert.deepEqual([problems, byEst, mostEntries], [[], 1, 2]);
  });

  test('with a status of the server is a fault, but for 501 of EST', async () => {
    const statusIs = async (...head: [number, ...string[]]) =>
      (await conversation(sent('each', 'GET'), (socket) => socket.write(answer(...head)))).problems;
    assert.deepEqual(await statusIs(500, ofEst), ['fault']);
    assert.deepEqual(await statusIs(503, ofEst), ['fault']);
    assert.deepEqual(await statusIs(501, ofEst), []);
  });

  test('with an answer that is neither of EST nor 400 is a fault: a request was answered unlogged', async () => {
    const { problems } = await conversation(sent('one', 'GET'), (socket) => socket.write(answer(417)));
    assert.deepEqual(problems, ['fault']);
  });

  test('with HEAD has answers without a body', async () => {
    const { problems, byEst } = await conversation(sent('each', 'HEAD', 'GET'), (socket) =>
      socket.write(answer(405, ofEst).replace('Length: 0', 'Length: 9') + answer(200, ofEst)),
    );
    assert.deepEqual([problems, byEst], [[], 2]);
  });
});
