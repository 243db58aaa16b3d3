import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { parseCertificate, pemToDer } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { base64, est, type EstAnswer, type EstRequest } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { exchange } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

/** EST as its clients see it. What HTTP itself demands is in http.test.ts. */
describe('RFC 7030', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  let devices = 0;
  const expected = () => TestDevice.expected(authority, `laptop-${(devices += 1)}`);
  const ask = (target: string, more: Partial<EstRequest> = {}) =>
    est({ url: `${authority.est}/${target}`, trust: authority.trustPem, ...more });
  /** simpleenroll of a fresh device, with the body or headers that a test wants. */
  async function enroll(
    body: (csr: string) => string = (csr) => csr,
    headers: Record<string, string> = {},
  ): Promise<EstAnswer> {
    const { id, key, secret } = await expected();
    return ask('simpleenroll', { body: body(base64(csrFor(id, key))), user: [id, secret], headers });
  }
  const pem = async (name: string) => {
    const [der] = pemToDer(
      await readFile(path.join(authority.directory, 'pki', name), 'utf8'),
      'CERTIFICATE',
    );
    return base64(der!);
  };

  describe('section 3.2.2, paths:', () => {
    for (const label of ['', 'device/']) {
      test(`/${label}cacerts, /${label}simpleenroll and /${label}simplereenroll are served`, async () => {
        const device = await expected();
        assert.equal((await ask(`${label}cacerts`)).status, 200);
        assert.equal((await device.enroll({ label: label.slice(0, -1) })).status, 200);
        assert.equal((await device.renew({ label: label.slice(0, -1) })).status, 200);
      });
    }

    test('/fullcmc is not implemented: 501, with and without a label (section 4.3)', async () => {
      for (const label of ['', 'device/']) {
        assert.equal((await ask(`${label}fullcmc`, { body: 'AAAA' })).status, 501);
      }
    });

    for (const operation of ['nothing', 'device', 'a/b/cacerts', '']) {
      test(`/${operation} is not offered: 404`, async () => {
        assert.equal((await ask(operation)).status, 404);
      });
    }

    test('a query changes nothing', async () => {
      assert.equal((await ask('cacerts?operation=simpleenroll')).status, 200);
    });
  });

  describe('section 3.2.3, authentication:', () => {
    test('without credentials the answer is 401 with a Basic challenge', async () => {
      const answer = await ask('simpleenroll', { body: base64(csrFor('laptop', makeKey())) });
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Basic realm="[^"]+"$/);
    });

    test('with wrong credentials the answer is the same challenge', async () => {
      const answer = await ask('simpleenroll', {
        body: base64(csrFor('laptop', makeKey())),
        user: ['laptop', 'wrong'],
      });
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Basic /);
    });

    for (const [name, value] of [
      ['another scheme', 'Bearer abcdef'],
      ['Basic that is not base64', 'Basic ***'],
      ['Basic without a colon', `Basic ${base64(Buffer.from('nocolon'))}`],
    ] as const) {
      test(`${name} is malformed, and the answer does not repeat it`, async () => {
        const answer = await ask('simpleenroll', { body: 'MAA=', headers: { Authorization: value } });
        assert.equal(answer.status, 400);
        assert.ok(!answer.text.includes(value.split(' ')[1]!));
      });
    }
  });

  describe('section 4.1, cacerts:', () => {
    test('needs no authentication and gives the whole chain, the root among it', async () => {
      const answer = await ask('cacerts');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only');
      assert.deepEqual(answer.certificates.map(base64), [await pem('issuing.pem'), await pem('root.pem')]);
    });

    test('takes GET alone: 405 with Allow', async () => {
      const answer = await ask('cacerts', { method: 'POST', body: '' });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET']);
    });
  });

  describe('section 4.2, simpleenroll and simplereenroll:', () => {
    test('4.2.3: 200 holds the issued certificate and no other', async () => {
      const device = await expected();
      const answer = await device.enroll();
      assert.equal(answer.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only');
      assert.equal(answer.certificates.length, 1);
      const { subject, spki } = parseCertificate(answer.certificates[0]!);
      assert.equal(subject[0]![0]!.value, device.id);
      assert.deepEqual(Buffer.from(spki), Buffer.from(device.key.spki));
    });

    test('4.2.2: a renewal may come with the same key or a new one', async () => {
      for (const isNew of [false, true]) {
        const device = await expected();
        await device.enroll();
        const key = isNew ? makeKey() : device.key;
        const answer = await ask('simplereenroll', {
          body: base64(csrFor(device.id, key)),
          client: { certificate: device.certificate!, key: device.key },
        });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(Buffer.from(parseCertificate(answer.certificates[0]!).spki), Buffer.from(key.spki));
      }
    });

    test('4.2.3: 202 has a Retry-After, and the same request again gets the certificate', async () => {
      const device = await TestDevice.unapproved(authority, 'waiting');
      const csr = csrFor(device.id, device.key);
      const held = await device.enroll({ csr });
      assert.equal(held.status, 202);
      assert.match(held.headers['retry-after'] ?? '', /^[1-9]\d*$/);
      const [request] = (await authority.admin.client.perform('listRequests', { state: 'pending' })).items;
      await authority.admin.client.perform('approveRequest', { id: request!.id });
      assert.equal((await device.enroll({ csr })).status, 200);
    });

    test('take POST alone: 405 with Allow', async () => {
      for (const operation of ['simpleenroll', 'simplereenroll']) {
        for (const method of ['GET', 'PUT', 'HEAD']) {
          const answer = await ask(operation, { method });
          assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST'], `${method} ${operation}`);
        }
      }
    });

    for (const type of ['application/pkcs7-mime', 'text/plain', 'application/pkcs10x', '']) {
      test(`take application/pkcs10 alone: ${type || 'no type'} is answered 415`, async () => {
        assert.equal((await enroll(undefined, { 'Content-Type': type })).status, 415);
      });
    }

    test('take the type in any case and with parameters', async () => {
      const headers = { 'Content-Type': 'Application/PKCS10; charset=us-ascii' };
      assert.equal((await enroll(undefined, headers)).status, 200);
    });

    test('4.2.3: an error is text/plain for people, with a support code that finds its entry', async () => {
      const answer = await enroll(() => base64(Buffer.from('no request')));
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal((await entryOf(authority, answer)).id, supportCodeOf(answer));
    });
  });

  describe('RFC 8951 section 3, transfer encoding:', () => {
    test('Content-Transfer-Encoding is sent, for clients that demand it', async () => {
      assert.equal((await ask('cacerts')).headers['content-transfer-encoding'], 'base64');
    });

    for (const value of ['base64', 'binary', 'BASE64']) {
      test(`Content-Transfer-Encoding: ${value} of a request is not looked at`, async () => {
        assert.equal((await enroll(undefined, { 'Content-Transfer-Encoding': value })).status, 200);
      });
    }

    const breaks: Record<string, (csr: string) => string> = {
      'no line break': (csr) => csr,
      'lines of 64 and LF': (csr) => csr.replaceAll(/.{64}/g, '$&\n'),
      'lines of 76 and CRLF': (csr) => `${csr.replaceAll(/.{76}/g, '$&\r\n')}\r\n`,
      'a line break after every character': (csr) => [...csr].join('\n'),
      'spaces and tabs around': (csr) => ` \t${csr}\t \r\n\r\n`,
    };
    for (const [name, body] of Object.entries(breaks)) {
      test(`base64 with ${name} is taken`, async () => {
        const answer = await enroll(body);
        assert.equal(answer.status, 200, answer.text);
      });
    }

    const bad: Record<string, (csr: string) => string> = {
      PEM: (csr) => `-----BEGIN CERTIFICATE REQUEST-----\n${csr}\n-----END CERTIFICATE REQUEST-----\n`,
      base64url: (csr) => `${csr.slice(0, 8)}-_-_${csr.slice(12)}`,
      'base64 cut short': (csr) => csr.replaceAll('=', '').slice(0, -1),
      nothing: () => '',
      'white space alone': () => '\r\n',
    };
    for (const [name, body] of Object.entries(bad)) {
      test(`${name} is answered 400`, async () => {
        assert.equal((await enroll(body)).status, 400);
      });
    }
  });

  describe('deviation for clients that read HTTP by hand (strongSwan, libest):', () => {
    const get = (more: string) =>
      exchange(
        { url: authority.est, trust: authority.trustPem },
        `GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n${more}\r\n`,
      );

    test('header names come in the case in which RFCs write them', async () => {
      const names = (await get(''))!.headers.map(([name]) => name);
      for (const name of ['Content-Type', 'Content-Transfer-Encoding', 'Content-Length']) {
        assert.ok(names.includes(name), name);
      }
    });

    test('without User-Agent, the first 401 and a 202 have no body: Bouncy Castle would fail over it', async () => {
      const { id, key, secret } = await TestDevice.unapproved(authority, 'by-hand');
      const request = { body: base64(csrFor(id, key)), userAgent: null };
      const [first, held, wrong] = [
        await ask('simpleenroll', request),
        await ask('simpleenroll', { ...request, user: [id, secret] }),
        await ask('simpleenroll', { ...request, user: [id, 'wrong'] }),
      ];
      assert.deepEqual([first.status, first.text], [401, '']);
      assert.deepEqual([held.status, held.text], [202, '']);
      assert.match(held.headers['retry-after'] ?? '', /^[1-9]\d*$/);
      assert.deepEqual([wrong.status, wrong.headers['content-type']], [401, 'text/plain; charset=utf-8']);
    });

    test('without User-Agent the base64 is one line, with one it has lines of at most 64', async () => {
      const [one, many] = [(await get(''))!.body, (await get('User-Agent: x\r\n'))!.body];
      assert.match(one, /^[A-Za-z0-9+/=]+$/);
      assert.match(many, /^(?:[A-Za-z0-9+/=]{64}\n)+[A-Za-z0-9+/=]{1,64}\n$/);
      assert.equal(many.replaceAll('\n', ''), one);
    });
  });
});
