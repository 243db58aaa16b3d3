import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { type RawAnswer, RawConnection } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

const maximumBodyBytes = 65_536;
const target = '/.well-known/est/simpleenroll';
const cacerts = 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n';

/** HTTP/1.1 (RFC 9112) below EST: what clients, proxies and attackers send. */
describe('HTTP on an enroll listener', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });
  after(() => assert.deepEqual(authority.faults, []));

  const connect = () => RawConnection.open({ url: authority.est, trust: authority.trustPem });

  /** The answers on one connection until it ends, or until there are as many as wanted. */
  async function answersTo(bytes: string, wanted = Infinity): Promise<RawAnswer[]> {
    const connection = await connect();
    const answers: RawAnswer[] = [];
    try {
      connection.write(bytes);
      while (answers.length < wanted) {
        const answer = await connection.answer();
        if (answer === null) break;
        answers.push(answer);
      }
      return answers;
    } finally {
      connection.close();
    }
  }
  const statusesOf = async (bytes: string, wanted?: number) =>
    (await answersTo(bytes, wanted)).map(({ status }) => status);

  /** What the log says of the requests that reached EST meanwhile. */
  async function loggedBy(work: () => Promise<void>): Promise<string[]> {
    const from = await logSize(authority);
    await work();
    const entries = await requestEntriesOf(authority, from);
    return entries.map(({ outcome, error }) => (error === null ? outcome : `${outcome} ${error.code}`));
  }
  const post = (headers: string, body: string) =>
    `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkcs10\r\n${headers}\r\n${body}`;
  const credential = ({ id, secret }: TestDevice) =>
    `Authorization: Basic ${base64(Buffer.from(`${id}:${secret}`))}\r\n`;
  const megabytes = 'A'.repeat(3_000_000);
  const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;

  describe('a body', () => {
    test('announced as too long is refused with 413 before it comes, and is in the log', async () => {
      const logged = await loggedBy(async () => {
        const [answer] = await answersTo(post(`Content-Length: ${maximumBodyBytes + 1}\r\n`, ''), 1);
        assert.equal(answer?.status, 413);
        assert.ok(answer.headers.some(([name, value]) => name === 'Connection' && value === 'close'));
      });
      assert.deepEqual(logged, ['malformed too-large']);
    });

    test('announced as too long is refused with 413 when it comes at once, too', async () => {
      const url = `${authority.est}/simpleenroll`;
      const answer = await est({ url, body: 'A'.repeat(3 * maximumBodyBytes), trust: authority.trustPem });
      assert.equal(answer.status, 413);
    });

    test('in chunks is cut off with 413 where it becomes too long, and is in the log', async () => {
      const logged = await loggedBy(async () => {
        const half = chunk('A'.repeat(maximumBodyBytes / 2));
        const statuses = await statusesOf(
          post('Transfer-Encoding: chunked\r\n', `${half}${half}${chunk('A')}`),
          1,
        );
        assert.deepEqual(statuses, [413]);
      });
      assert.deepEqual(logged, ['malformed too-large']);
    });

    for (const [name, headers, body] of [
      ['with a length', `Content-Length: ${megabytes.length}\r\n`, megabytes],
      ['in chunks', 'Transfer-Encoding: chunked\r\n', `${chunk(megabytes)}0\r\n\r\n`],
    ] as const) {
      test(`of megabytes ${name}, sent whole before anything is read, loses no 413 to a reset: RFC 9112 section 9.6`, async () => {
        const connection = await connect();
        connection.socket.pause();
        for (const piece of post(headers, body).match(/[^]{1,100000}/g)!) {
          const fault = await new Promise((resolve) => connection.socket.write(piece, resolve));
          assert.ok(!(fault instanceof Error), String(fault));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        connection.socket.resume();
        assert.equal((await connection.answer())?.status, 413);
        connection.close();
      });
    }

    test('of exactly the longest length is read', async () => {
      const url = `${authority.est}/simpleenroll`;
      const answer = await est({ url, body: ' '.repeat(maximumBodyBytes), trust: authority.trustPem });
      assert.equal(answer.status, 400);
    });

    test('in chunks is a request like any other', async () => {
      const device = await TestDevice.expected(authority, 'chunked');
      const chunks = base64(csrFor(device.id, device.key))
        .match(/.{1,100}/g)!
        .map(chunk)
        .join('');
      const bytes = post(`Transfer-Encoding: chunked\r\n${credential(device)}`, `${chunks}0\r\n\r\n`);
      assert.deepEqual(await statusesOf(bytes, 1), [200]);
    });

    test('that never comes whole leaves an entry when the client goes', async () => {
      const logged = await loggedBy(async () => {
        const connection = await connect();
        connection.write(post('Content-Length: 100\r\n', 'AAAA'));
        await new Promise((resolve) => setTimeout(resolve, 100));
        connection.close();
        await new Promise((resolve) => setTimeout(resolve, 100));
      });
      assert.deepEqual(logged, ['malformed malformed']);
    });

    test('is asked for by 100 (Continue) where the client expects that', async () => {
      const device = await TestDevice.expected(authority, 'expecting');
      const body = base64(csrFor(device.id, device.key));
      const headers = `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n${credential(device)}`;
      const connection = await connect();
      connection.write(post(headers, ''));
      await new Promise((resolve) => connection.socket.once('data', resolve));
      connection.write(body);
      assert.equal((await connection.answer())?.status, 200);
      connection.close();
    });

    test('is not asked for where it is too long, or the request is refused without it', async () => {
      const expecting = (length: number) => `Expect: 100-continue\r\nContent-Length: ${length}\r\n`;
      const refused: Record<string, string> = {
        413: post(expecting(maximumBodyBytes + 1), ''),
        415: post(expecting(100), '').replace('application/pkcs10', 'text/plain'),
      };
      for (const [status, bytes] of Object.entries(refused)) {
        const connection = await connect();
        const first = once(connection.socket, 'data');
        connection.write(bytes);
        assert.match(String((await first)[0]), new RegExp(`^HTTP/1.1 ${status} `));
        connection.close();
      }
    });
  });

  describe('a message with two meanings is refused with 400 and never reaches EST:', () => {
    const body = 'AAAA';
    const smuggled: Record<string, string> = {
      'two lengths that differ': post('Content-Length: 4\r\nContent-Length: 5\r\n', body),
      'two lengths that are the same': post('Content-Length: 4\r\nContent-Length: 4\r\n', body),
      'a list of lengths': post('Content-Length: 4, 4\r\n', body),
      'a length beside chunks': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n`),
      'an unknown coding beside chunked': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
      'a length with a sign': post('Content-Length: +4\r\n', body),
      'a folded header': post('X: 1\r\n\tContent-Length: 4\r\n', body),
      'white space before the colon': post('Content-Length : 4\r\n', body),
      'a NUL in a header': post('X: \0\r\nContent-Length: 4\r\n', body),
      'no Host': cacerts.replace('Host: x\r\n', ''),
      'two requests for one line': `GET /.well-known/est/cacerts GET HTTP/1.1\r\nHost: x\r\n\r\n`,
      'headers without end': `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}`,
    };
    for (const [name, bytes] of Object.entries(smuggled)) {
      test(name, async () => {
        const logged = await loggedBy(async () => assert.deepEqual(await statusesOf(bytes), [400]));
        assert.deepEqual(logged, []);
      });
    }
  });

  describe('a connection', () => {
    test('takes one request after the other, each with its entry', async () => {
      const logged = await loggedBy(async () => {
        const connection = await connect();
        for (let request = 0; request < 3; request += 1) {
          connection.write(cacerts);
          assert.equal((await connection.answer())?.status, 200);
        }
        connection.close();
      });
      assert.deepEqual(logged, ['answered', 'answered', 'answered']);
    });

    test('takes requests that are sent ahead, and answers in order', async () => {
      const unknown = cacerts.replace('cacerts', 'nothing');
      assert.deepEqual(await statusesOf(`${cacerts}${unknown}${cacerts}`, 3), [200, 404, 200]);
    });

    test('ends where garbage follows a request, and the next one is served', async () => {
      const logged = await loggedBy(async () => {
        const statuses = await statusesOf(`${cacerts}\0\u00ff garbage\r\n\r\n${cacerts}`);
        assert.ok(
          statuses.every((status) => status === 200 || status === 400),
          statuses.join(),
        );
      });
      assert.deepEqual(logged, ['answered']);
      assert.deepEqual(await statusesOf(cacerts, 1), [200]);
    });

    for (const [name, bytes] of Object.entries({
      'garbage alone': '\u0016\u0003\u0001 not HTTP \r\n\r\n\r\n',
      'HTTP/2 without asking': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      CONNECT: 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n',
      nothing: '',
    })) {
      test(`with ${name} ends without an entry, and the next one is served`, async () => {
        const logged = await loggedBy(async () => {
          const connection = await connect();
          connection.write(bytes);
          connection.socket.end();
          const answer = await connection.answer();
          assert.ok(answer === null || answer.status === 400, String(answer?.status));
          connection.close();
        });
        assert.deepEqual(logged, []);
        assert.deepEqual(await statusesOf(cacerts, 1), [200]);
      });
    }

    test('with an expectation that nobody knows is a request like any other: RFC 9110 section 10.1.1', async () => {
      const logged = await loggedBy(async () => {
        assert.deepEqual(await statusesOf(cacerts.replace('Host', 'Expect: more\r\nHost'), 1), [200]);
      });
      assert.deepEqual(logged, ['answered']);
    });

    test('with an Upgrade stays HTTP/1.1', async () => {
      const upgrade = cacerts.replace('Host: x', 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket');
      assert.deepEqual(await statusesOf(upgrade, 1), [200]);
    });

    test('of HTTP/1.0 is answered and ends', async () => {
      assert.deepEqual(await statusesOf(cacerts.replace('HTTP/1.1', 'HTTP/1.0')), [200]);
    });

    test('with a target in absolute form is served: RFC 9112 section 3.2.2', async () => {
      assert.deepEqual(await statusesOf(cacerts.replace('GET ', 'GET https://ca.example.org'), 1), [200]);
    });
  });
});
