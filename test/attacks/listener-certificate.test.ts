import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess, type TestAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { handshake, issuedFor, listenerKey, loopback } from '../harness/issued-listener.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Who has read the listener's key asks with the certificate that our own issuer gave it: it is of the listener, and of no device. */
describe('the certificate of a listener in other hands', () => {
  const cleanup = suiteCleanup();
  let authority: TestAuthority;
  let client: { certificate: Uint8Array; key: ClientKey };
  before(async () => {
    authority = await authorityInProcess(cleanup, issuedFor(loopback));
    const { certificate } = await handshake(authority);
    const { der, spki } = certificate;
    const privateKey = await listenerKey(authority);
    client = { certificate: der, key: { algorithm: 'ec-p256', privateKey, spki: new Uint8Array(spki) } };
  });

  for (const template of ['device', 'server', 'iot']) {
    test(`renews nothing of template ${template}, whatever key it asks for`, async () => {
      for (const key of [client.key, makeKey()]) {
        const answer = await est({
          url: `${authority.est}/${template}/simplereenroll`,
          body: base64(renewalCsr(client.certificate, key)),
          trust: authority.trustPem,
          client,
        });
        assert.deepEqual([answer.status, answer.certificates], [403, []], answer.text);
        const { outcome, verdict } = await entryOf(authority, answer);
        assert.equal(outcome, 'refused');
        assert.ok(
          verdict.objections.some(({ control }) => control === 'renewal-known'),
          JSON.stringify(verdict),
        );
      }
    });
  }

  test('enrolls nobody for the name of a device that is expected', async () => {
    const device = await TestDevice.expected(authority, 'laptop-1');
    for (const [operation, status] of [
      ['simpleenroll', 401],
      ['simplereenroll', 403],
    ] as const) {
      const answer = await est({
        url: `${authority.est}/device/${operation}`,
        body: base64(csrFor(device.id, client.key)),
        trust: authority.trustPem,
        client,
      });
      assert.deepEqual([answer.status, answer.certificates], [status, []], answer.text);
    }
    assert.equal((await device.enroll()).status, 200);
  });
});
