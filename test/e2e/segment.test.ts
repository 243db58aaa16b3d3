import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { exchange, RawConnection } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Beside `enroll`, a listener for one source and one template, and a class that may not use it. */
function withNarrowListener(yaml: string): string {
  const listener = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const narrow = listener
    .replace('enroll:', 'narrow:')
    .replace(/sources: .*/, 'sources: [127.0.0.1/32]')
    .replace('[device, server, iot]', '[device]');
  return yaml
    .replace(listener, `${listener}${narrow}`)
    .replace(
      '    templates: [device, server, web]\n',
      '    templates: [device, server, web]\n    listeners: [enroll]\n',
    );
}

describe('a segment', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let narrow: string;
  before(async () => {
    authority = await authorityInProcess(cleanup, withNarrowListener);
    const found = authority.running.listeners.find(({ name }) => name === 'narrow')!;
    narrow = `${found.url}/.well-known/est`;
  });

  test('does not serve a template that its listener does not list', async () => {
    const device = await TestDevice.expected(authority, 'iot-1', { deviceClass: 'iot', template: 'iot' });
    const answer = await device.enroll({ est: narrow });
    await assertRefused(authority, answer, 404, ['segment-template']);
    assert.equal((await device.enroll()).status, 200);
  });

  test('does not serve a class that may not use its listener', async () => {
    const device = await TestDevice.expected(authority, 'server-1', { deviceClass: 'server' });
    const answer = await device.enroll({ est: narrow });
    await assertRefused(authority, answer, 403, ['segment-class']);
    assert.equal((await device.enroll()).status, 200);
  });

  test('refuses a source outside its ranges, whatever it brings', async () => {
    const device = await TestDevice.expected(authority, 'laptop-1');
    const answer = await device.enroll({ est: narrow, localAddress: '127.0.0.2' });
    const entry = await assertRefused(authority, answer, 403, ['segment-source']);
    assert.equal(entry.observations.source.address, '127.0.0.2');
    assert.equal((await device.enroll({ est: narrow, localAddress: '127.0.0.1' })).status, 200);
  });

  test('refuses a source outside its ranges before a byte of the body has come', async () => {
    const target = { url: narrow, trust: authority.trustPem, localAddress: '127.0.0.2' };
    const head = 'POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n';
    const answer = await exchange(target, head);
    assert.equal(answer?.status, 403);
    assert.deepEqual(answer.headers.find(([name]) => name === 'Connection')?.[1], 'close');
    const newest = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(newest.action, 'admit');
    assert.deepEqual(
      newest.verdict.objections.map(({ control }) => control),
      ['segment-source'],
    );
  });

  test('with a floor of TLS 1.3 shakes no hand over TLS 1.2', async () => {
    const target = { url: authority.est, trust: authority.trustPem };
    await assert.rejects(RawConnection.open({ ...target, tls: { maxVersion: 'TLSv1.2' } }), {
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    const connection = await RawConnection.open({ ...target, tls: { minVersion: 'TLSv1.3' } });
    connection.close();
  });

  test('of the public serves no EST', async () => {
    const target = { url: authority.publicUrl, trust: authority.trustPem };
    const get = await exchange(target, 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(get?.status, 404);
    const post = 'POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nMIIB';
    assert.equal((await exchange(target, post))?.status, 405);
  });

  test('of enrollment serves no CRL, and logs who asked', async () => {
    const url = authority.est.replace('/.well-known/est', '/crl/issuing.crl');
    const answer = await est({ url, trust: authority.trustPem });
    assert.equal(answer.status, 404);
    assert.equal((await entryOf(authority, answer)).outcome, 'malformed');
  });

  // RFC 7030 section 3.2.2 leaves the form of a label to the CA: here it is a template's name, and what every object has is none.
  describe('serves no label that is no template:', () => {
    const wellFormed = ['constructor', 'valueof', 'no-such-template'];
    const malformed = ['__proto__', 'toString', 'hasOwnProperty', '..', '%2e%2e', 'device%00', ''];

    for (const label of wellFormed) {
      test(`${label}, which a template could be called`, async () => {
        const body = base64(csrFor('laptop-2', makeKey()));
        const answer = await est({
          url: `${authority.est}/${label}/simpleenroll`,
          body,
          trust: authority.trustPem,
        });
        assert.equal(answer.status, 404, answer.text);
        const { outcome, verdict } = await entryOf(authority, answer);
        const controls = new Set(verdict.objections.map(({ control }) => control));
        assert.equal(outcome, 'refused');
        assert.ok(controls.has('segment-template') && controls.has('template-known'), [...controls].join());
      });
    }

    for (const label of [...malformed, ...wellFormed]) {
      test(`${label || 'an empty one'}, for cacerts`, async () => {
        const before = await logSize(authority);
        const target = { url: authority.est, trust: authority.trustPem };
        const request = `GET /.well-known/est/${label}/cacerts HTTP/1.1\r\nHost: x\r\n\r\n`;
        assert.equal((await exchange(target, request))?.status, 404);
        const [entry, ...more] = await requestEntriesOf(authority, before);
        assert.deepEqual([entry?.outcome, more], ['malformed', []]);
      });
    }
  });

  test('went through all of this without a fault', () => {
    assert.deepEqual(authority.faults, []);
  });
});
