import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est, type EstAnswer, type EstRequest } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { exchange } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Clarifications of EST, for each operation that takes or gives base64. What simpleenroll takes is in rfc7030.test.ts too. */
describe('RFC 8951', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, withTemplates({ made: { serverKeygen: 'ec-p256' } }));
  });

  let devices = 0;
  const nextId = () => `laptop-${(devices += 1)}`;
  const ask = (target: string, more: Partial<EstRequest> = {}) =>
    est({ url: `${authority.est}/${target}`, trust: authority.trustPem, ...more });

  type Body = (csr: string) => string;
  /** Each operation that takes a request, by a device that may. */
  const operations: Record<string, (body: Body, headers?: Record<string, string>) => Promise<EstAnswer>> = {
    async simpleenroll(body, headers = {}) {
      const { id, key, secret } = await TestDevice.expected(authority, nextId());
      return ask('simpleenroll', { body: body(base64(csrFor(id, key))), user: [id, secret], headers });
    },
    async simplereenroll(body, headers = {}) {
      const { key, certificate } = await TestDevice.enrolled(authority, nextId());
      return ask('simplereenroll', {
        body: body(base64(renewalCsr(certificate!, key))),
        client: { certificate: certificate!, key },
        headers,
      });
    },
    async serverkeygen(body, headers = {}) {
      const { id, key, secret } = await TestDevice.expected(authority, nextId(), { template: 'made' });
      return ask('made/serverkeygen', { body: body(base64(csrFor(id, key))), user: [id, secret], headers });
    },
  };

  const bodies: Record<string, Body> = {
    'without line breaks': (csr) => csr,
    'with lines of 64': (csr) => csr.replaceAll(/.{64}/g, '$&\n'),
    'with lines of 76 and CRLF': (csr) => `${csr.replaceAll(/.{76}/g, '$&\r\n')}\r\n`,
    'with CR alone': (csr) => csr.replaceAll(/.{64}/g, '$&\r'),
    'with a line break at the beginning': (csr) => `\r\n${csr}`,
    'with empty lines': (csr) => csr.replaceAll(/.{64}/g, '$&\n\n'),
    'with a line break in the padding': (csr) => csr.replace(/==?$/, (padding) => [...padding].join('\r\n')),
    'with spaces and tabs inside': (csr) => csr.replaceAll(/.{10}/g, '$& \t'),
  };
  describe('section 3.1, base64 of a request:', () => {
    for (const [operation, send] of Object.entries(operations)) {
      for (const [name, body] of Object.entries(bodies)) {
        test(`${operation} takes it ${name}`, async () => {
          const answer = await send(body);
          assert.equal(answer.status, 200, answer.text);
        });
      }
    }
  });

  describe('section 3, Content-Transfer-Encoding of a request is not looked at:', () => {
    for (const [operation, send] of Object.entries(operations)) {
      for (const value of ['7bit', 'binary', 'quoted-printable', 'BASE64', 'x-nonsense; a=b', '']) {
        test(`${operation}: "${value}"`, async () => {
          const answer = await send((csr) => csr, { 'Content-Transfer-Encoding': value });
          assert.equal(answer.status, 200, answer.text);
        });
      }

      test(`${operation}: binary DER is refused, whatever it says`, async () => {
        const der: Body = (csr) => Buffer.from(csr, 'base64').toString('latin1');
        const said: Record<string, string>[] = [{}, { 'Content-Transfer-Encoding': 'binary' }];
        for (const headers of said) {
          const answer = await send(der, headers);
          assert.equal(answer.status, 400);
        }
      });
    }

    test('said twice on the wire', async () => {
      const { id, key, secret } = await TestDevice.expected(authority, nextId());
      const body = base64(csrFor(id, key));
      const answer = await exchange(
        { url: authority.est, trust: authority.trustPem },
        'POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkcs10\r\n' +
          'Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: binary\r\n' +
          `Authorization: Basic ${base64(Buffer.from(`${id}:${secret}`))}\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.equal(answer!.status, 200, answer!.body);
    });
  });

  describe('section 3, base64 of an answer:', () => {
    for (const [agent, headers] of [
      ['without a User-Agent', {}],
      ['with a User-Agent', { 'User-Agent': 'x' }],
    ] as const) {
      test(`is nothing but base64 and line breaks, ${agent}`, async () => {
        const plain = async (answer: EstAnswer) => {
          assert.equal(answer.status, 200, answer.text);
          assert.match(answer.text, /^[A-Za-z0-9+/\n]+={0,2}\n?$/);
          assert.equal(answer.headers['content-length'], String(answer.text.length));
        };
        await plain(await ask('cacerts', { headers }));
        await plain(await ask('csrattrs', { headers }));
        await plain(await operations['simpleenroll']!((csr) => csr, headers));
        await plain(await operations['simplereenroll']!((csr) => csr, headers));
      });
    }
  });

  describe('section 5, an error is text for people:', () => {
    const agent = { 'User-Agent': 'x' };
    const csr = base64(csrFor('laptop', makeKey()));
    const errors: Record<string, readonly [status: number, ask: () => Promise<EstAnswer>]> = {
      'a body that is not base64': [400, () => ask('simpleenroll', { body: '!!!', headers: agent })],
      'base64 of no request': [400, () => ask('simpleenroll', { body: 'MAA=', headers: agent })],
      'no credential': [401, () => ask('simpleenroll', { body: csr, headers: agent })],
      'a wrong secret, without a User-Agent': [
        401,
        () => ask('simpleenroll', { body: csr, user: ['laptop', 'wrong'] }),
      ],
      'no client certificate': [403, () => ask('simplereenroll', { body: csr })],
      'no key made here': [
        403,
        async () => {
          const { id, key, secret } = await TestDevice.expected(authority, nextId());
          return ask('serverkeygen', { body: base64(csrFor(id, key)), user: [id, secret] });
        },
      ],
      'no such label': [404, () => ask('nothing/csrattrs')],
      'no such operation': [404, () => ask('nothing')],
      'another method': [405, () => ask('csrattrs', { method: 'PUT', body: '' })],
      'a large body': [413, () => ask('simpleenroll', { body: 'A'.repeat(200_000) })],
      'another type': [
        415,
        () => ask('simpleenroll', { body: csr, headers: { 'Content-Type': 'text/plain' } }),
      ],
      'full CMC': [501, () => ask('fullcmc', { body: csr })],
    };
    for (const [name, [status, send]] of Object.entries(errors)) {
      test(`${status} for ${name}`, async () => {
        const answer = await send();
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
        assert.equal(answer.headers['content-transfer-encoding'], undefined);
        assert.match(answer.text, /^[ -~]+\n$/);
        assert.equal((await entryOf(authority, answer)).id, supportCodeOf(answer));
      });
    }

    test('202 says when to ask again, in words as in a header', async () => {
      const device = await TestDevice.unapproved(authority, nextId());
      const answer = await ask('simpleenroll', {
        body: base64(csrFor(device.id, device.key)),
        user: [device.id, device.secret],
        headers: agent,
      });
      assert.equal(answer.status, 202);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.headers['retry-after']!, /^\d+$/);
      assert.match(answer.text, /waits for approval/);
    });
  });
});
