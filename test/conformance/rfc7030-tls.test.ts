import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { requireClient } from '../clients.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { answerTo } from '../harness/client-hello.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { exchange } from '../harness/raw-connection.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { type Certified, TestCa } from '../harness/pki.ts';

const tls12 = 0x0303;
const day = 86_400_000;

/** A listener with the floor at TLS 1.2: nothing lower can be configured. */
describe('RFC 7030 section 3.3, TLS', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, withTemplates({}));
  });

  const good = [0xc02b, 0xc02c, 0xcca9];

  describe('3.3 and 3.2.3, versions:', () => {
    test('TLS 1.2 is spoken', async () => {
      assert.equal(await answerTo({ version: tls12, suites: good }, authority.est), 'ServerHello');
    });

    for (const [title, version] of [
      ['TLS 1.1 is refused', 0x0302],
      ['TLS 1.0 is refused', 0x0301],
      ['SSL 3.0 is refused', 0x0300],
    ] as const) {
      test(title, async () => {
        // AES128-SHA and ECDHE-ECDSA-AES128-SHA besides, which those versions had.
        const suites = [...good, 0xc009, 0x002f];
        assert.notEqual(await answerTo({ version, suites }, authority.est), 'ServerHello');
      });
    }

    test('without TLS there is no EST, not even cacerts', async () => {
      const from = await logSize(authority);
      const plain = { url: authority.est.replace('https:', 'http:'), trust: '' };
      const answer = await exchange(plain, 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.ok(answer === null || answer.status === 400, String(answer?.status));
      assert.deepEqual(await requestEntriesOf(authority, from), []);
    });
  });

  describe('3.2.3, 4.4 and 6, cipher suites:', () => {
    const suites: Record<string, readonly number[]> = {
      'suites without encryption, NULL, are refused': [0x0001, 0x0002, 0x003b, 0xc006, 0xc010],
      'suites without a certificate of the server, anon, are refused': [
        0x0018, 0x0034, 0x006c, 0x00a6, 0xc018, 0xc019,
      ],
      'suites of export strength are refused': [0x0003, 0x0006, 0x0008, 0x0011, 0x0014],
      'suites with DES are refused': [0x0009, 0x000c, 0x0012, 0x0015, 0x001a],
      'suites with triple DES are refused': [0x000a, 0x0016, 0xc008, 0xc012],
      'suites with RC4 are refused': [0x0004, 0x0005, 0xc007, 0xc011],
      'suites without forward secrecy are refused': [0x002f, 0x0035, 0x003c, 0x009c, 0x009d],
      'suites with CBC are refused': [0xc009, 0xc00a, 0xc013, 0xc023, 0xc024],
    };
    for (const [title, offered] of Object.entries(suites)) {
      test(title, async () => {
        assert.equal(await answerTo({ version: tls12, suites: offered }, authority.est), 'alert');
      });
    }
  });

  describe('3.3.2, a client certificate:', () => {
    const today = Date.now();
    const strangers: Record<string, Certified> = {
      'of somebody else': TestCa.root('Somebody').endEntity({
        subject: [{ type: 'commonName', value: 'x' }],
      }),
      'that has ended': TestCa.root('Somebody').endEntity({
        subject: [{ type: 'commonName', value: 'x' }],
        notBefore: today - 2 * day,
        notAfter: today - day,
      }),
      'that is a root': TestCa.root('Somebody'),
    };
    for (const [name, client] of Object.entries(strangers)) {
      test(`${name} ends no handshake: cacerts and csrattrs are answered`, async () => {
        for (const operation of ['cacerts', 'csrattrs']) {
          const url = `${authority.est}/${operation}`;
          const answer = await est({ url, trust: authority.trustPem, client });
          assert.equal(answer.status, 200, answer.text);
        }
      });

      test(`${name} authenticates nobody`, async () => {
        const body = base64(csrFor('laptop', makeKey()));
        const request = { trust: authority.trustPem, client, body };
        const enrolled = await est({ ...request, url: `${authority.est}/simpleenroll` });
        assert.equal(enrolled.status, 401);
        assert.match(enrolled.headers['www-authenticate'] ?? '', /^Basic /);
        const renewed = await est({ ...request, url: `${authority.est}/simplereenroll` });
        assert.equal(renewed.status, 403);
      });
    }
  });

  async function open(version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer<ArrayBuffer>): Promise<TLSSocket> {
    const { hostname: host, port } = new URL(authority.est);
    const socket = connect({
      host,
      port: Number(port),
      ca: authority.trustPem,
      minVersion: version,
      maxVersion: version,
      ...(session === undefined ? {} : { session }),
    });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** A whole exchange: what a server sends after the handshake, as tickets are, has come then. */
  async function cacertsOn(socket: TLSSocket): Promise<void> {
    socket.write('GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const part of socket) text += String(part);
    assert.match(text, /^HTTP\/1\.1 200 /);
  }

  describe('deviation, 3.3: no session is resumed', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`over ${version} neither by a ticket nor by an identifier`, async () => {
        const first = await open(version);
        const sessions = [Buffer.from(first.getSession()!)];
        first.on('session', (session: Buffer) => sessions.push(Buffer.from(session)));
        await cacertsOn(first);
        for (const session of sessions) {
          const second = await open(version, session);
          assert.equal(second.isSessionReused(), false);
          await cacertsOn(second);
        }
      });
    }
  });

  test('3.3.1, the certificate of the server is one of RFC 5280, as openssl -x509_strict reads it', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const folder = await ClientFolder.make(cleanup);
    const pki = (name: string) => path.join(authority.directory, 'pki', name);
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', pki('root.pem'), '-untrusted', pki('issuing.pem')];
    const names = ['-verify_ip', '127.0.0.1', '-verify_hostname', 'localhost'];
    const strictly = ['-x509_strict', '-purpose', 'sslserver', ...names];
    await folder.must(openssl, 'verify', ...trust, ...strictly, pki('listener.pem'));
  });

  test('3.5, renegotiation: there is none, secure or not', async () => {
    const socket = await open('TLSv1.2');
    const outcome = await new Promise<string>((resolve) => {
      socket.once('error', (error) => resolve(`error ${error.message}`));
      socket.once('close', () => resolve('closed'));
      socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : `error ${error.message}`));
    });
    assert.match(outcome, /^error .*no.renegotiation/i);
    socket.destroy();
  });
});
