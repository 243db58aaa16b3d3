import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { der, oids } from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { ownCertificate } from './own-certificate.ts';
import type { WireForm } from './pki-message.ts';
import { firstRequest } from './requests.ts';
import { certRepOf, type HttpForm, scepAttribute, send, signedAttribute, wireAuthority } from './wire.ts';

/** Habits that go with no client by name. [S]: read in the servers that make room for them. */
describe('the fixture of other clients', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });
  const form: WireForm = { cipher: 'aes-128-cbc', digest: 'sha256' };
  const operation = '/scep/device?operation=PKIOperation';
  const http: HttpForm = { version: '1.1', headers: ['Host: HOST'] };

  async function prepare(id: string, changes: Partial<WireForm> = {}, transactionId?: string, more = {}) {
    const device = await ScepDevice.make(authority, id);
    const identity = {
      certificate: ownCertificate(device.key, id),
      transactionId: transactionId ?? hash('sha1', device.key.spki),
    };
    return firstRequest({ ...form, ...changes }, device, identity, more);
  }

  for (const [what, sent, target] of [
    // OpenXPKI's documentation.
    ['speaks HTTP/1.0 without a Host [S]', { version: '1.0', headers: [] }, operation],
    // RFC 8894 section 4.3.
    ['names no operation in a POST [S]', http, '/scep/device'],
    // strongSwan's, whose fetcher sends it empty.
    [
      'has an empty Content-Type [S]',
      { version: '1.1', headers: ['Host: HOST', 'Content-Type:'] },
      operation,
    ],
    // Fleet's proxy, whose addresses carry its own secret (fleetdm/fleet#29172).
    ['has more in its path [X]', http, `/scep/device/1,2,CA,secret%2Fx?operation=PKIOperation`],
  ] as const) {
    test(what, async () => {
      const request = await prepare(`other-${what.length}`);
      const answer = await send(authority, sent, target, request.body);
      assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
    });
  }

  // smallstep/certificates PR 2776.
  test('signs its attributes in the order in which it writes them [X]', async () => {
    const request = await prepare('other-order', { attributeOrder: 'as they come' });
    const answer = await send(authority, http, operation, request.body);
    assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
  });

  // micromdm/scep's client; RFC 8894 section 3.2.1.1 and its draft; what fits.
  for (const [what, transactionId] of [
    ['base64 [S]', 'YCMvSHmmPV27v/qQRH0ZCeDKIbc='],
    ['a decimal number [X]', '251876520971653424877103487193481092372'],
    ['256 characters [K]', 'x'.repeat(256)],
  ] as const) {
    test(`has for a transactionID ${what}, and gets the same back`, async () => {
      const request = await prepare(`other-id-${transactionId.length}`, {}, transactionId);
      const answer = await send(authority, http, operation, request.body);
      assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
      const { content } = signedAttribute(answer.body, scepAttribute.transactionId);
      assert.equal(content.toString(), transactionId);
    });
  }

  // sscep's own buffer holds 16384 octets, which is what Node.js reads of a head where nothing else is asked for.
  test('sends a GET of more than 16384 octets [S]', async () => {
    const filler = { oid: oids.unstructuredName, values: [der.utf8String('x'.repeat(7500))] };
    const request = await prepare('other-long', {}, undefined, { attributes: [filler] });
    const message = encodeURIComponent(Buffer.from(request.body).toString('base64'));
    assert.ok(message.length > 13_000 && message.length < 16_384, String(message.length));
    const padding = 'x'.repeat(16_500 - message.length);
    const answer = await send(authority, http, `${operation}&message=${message}&profile=${padding}`);
    assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
  });
});
