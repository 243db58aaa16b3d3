import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { isSallyportError } from '#errors';
import { derToPem } from '#x509';
import { makeKey, privateKeyPem } from '../../test/harness/csr.ts';
import { type Certified, TestCa } from '../../test/harness/pki.ts';
import { type Connection, connectionOf } from './connection.ts';

const key = makeKey();
const server = TestCa.root('server', { key });
const pem = (...certified: readonly Certified[]) =>
  certified.map(({ certificate }) => derToPem(certificate, 'CERTIFICATE')).join('');

/** A connection as the server has it, of a client that sends these, its own first. */
async function connectionFrom(t: TestContext, client: readonly Certified[]) {
  const identity = { cert: pem(server), key: privateKeyPem(key) };
  const listening = createServer({ ...identity, requestCert: true, rejectUnauthorized: false });
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  const { port } = listening.address() as AddressInfo;
  const own = client.length === 0 ? {} : { cert: pem(...client), key: privateKeyPem(key) };
  const peer = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...own });
  t.after(() => {
    peer.destroy();
    listening.close();
  });
  const [socket] = (await once(listening, 'secureConnection')) as [TLSSocket];
  return { socket, connection: connectionOf(socket, 'enroll')! };
}

const cas = Array.from({ length: 20 }, (_, number) => TestCa.root(`CA ${number}`, { key }));
const leaf = cas[0]!.endEntity({ subject: [{ type: 'commonName', value: 'laptop' }], key });
const bytes = (...certified: readonly Certified[]) =>
  certified.map(({ certificate }) => Buffer.from(certificate));

suite('a client certificate', () => {
  test('comes with what was sent beside it, in its order', async (t) => {
    const sent = [cas[2]!, cas[0]!, cas[1]!];
    const { connection } = await connectionFrom(t, [leaf, ...sent]);
    const client = connection.clientCertificate();
    assert.deepEqual(client, { certificate: bytes(leaf)[0], sent: bytes(...sent) });
  });

  test('that signed itself and came alone has nothing beside it', async (t) => {
    const { connection } = await connectionFrom(t, [cas[0]!]);
    assert.deepEqual(connection.clientCertificate(), { certificate: bytes(cas[0]!)[0], sent: [] });
  });

  test('comes with the first 16 of more', async (t) => {
    const { connection } = await connectionFrom(t, [leaf, ...cas]);
    assert.deepEqual(connection.clientCertificate()?.sent, bytes(...cas.slice(0, 16)));
  });

  test('is null where none was sent', async (t) => {
    const { connection } = await connectionFrom(t, []);
    assert.equal(connection.clientCertificate(), null);
  });
});

suite('a connection that has ended', () => {
  const questions: Record<string, (connection: Connection) => unknown> = {
    'client certificate': ({ clientCertificate }) => clientCertificate(),
    'channel bindings': ({ channelBindings }) => channelBindings(),
  };
  for (const [name, ask] of Object.entries(questions)) {
    test(`does not say that it had no ${name}: it says that it has ended`, async (t) => {
      const { socket, connection } = await connectionFrom(t, [leaf]);
      socket.destroy();
      assert.throws(
        () => ask(connection),
        (error) => isSallyportError(error, 'malformed'),
      );
    });
  }

  test('still has its address and its TLS', async (t) => {
    const { socket, connection } = await connectionFrom(t, [leaf]);
    socket.destroy();
    assert.equal(connection.address, '127.0.0.1');
    assert.equal(connection.tls?.version, 'TLSv1.3');
  });
});
