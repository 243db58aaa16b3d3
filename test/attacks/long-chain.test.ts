import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { derToPem } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, privateKeyPem } from '../harness/csr.ts';
import { base64 } from '../harness/est-client.ts';
import { TestCa } from '../harness/pki.ts';
import { RawConnection } from '../harness/raw-connection.ts';

const cacerts = 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n';

/** Copying what a client sent beside its certificate takes longer than all else of a request that is refused at the gate. */
describe('a client that sends very many certificates', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  const key = makeKey();
  const cas = Array.from({ length: 190 }, () => TestCa.root('one of many', { key }));
  const leaf = cas[0]!.endEntity({ subject: [{ type: 'commonName', value: 'laptop' }], key });
  const cert = [leaf, ...cas].map(({ certificate }) => derToPem(certificate, 'CERTIFICATE')).join('');
  const connect = () =>
    RawConnection.open({
      url: authority.est,
      trust: authority.trustPem,
      tls: { cert, key: privateKeyPem(key) },
    });

  /** How often Node.js was asked for them. */
  function readings({ mock }: TestContext): () => number {
    const spies = (['getPeerX509Certificate', 'getPeerCertificate'] as const).map((name) =>
      mock.method(TLSSocket.prototype, name),
    );
    return () => spies.reduce((sum, spy) => sum + spy.mock.callCount(), 0);
  }

  test('and asks for what anybody may have: they are not looked at', async (t) => {
    const connection = await connect();
    const read = readings(t);
    for (let request = 0; request < 3; request += 1) {
      connection.write(cacerts);
      assert.equal((await connection.answer())?.status, 200);
    }
    connection.close();
    assert.equal(read(), 0);
  });

  test('and renews again and again on one connection: they are looked at once', async (t) => {
    const connection = await connect();
    const read = readings(t);
    const body = base64(csrFor('laptop', key));
    for (let request = 0; request < 3; request += 1) {
      connection.write(
        `POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkcs10\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.equal((await connection.answer())?.status, 403);
    }
    connection.close();
    assert.equal(read(), 1);
  });
});
