import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import {
  authorityWithIdentities,
  type IdentityAuthority,
  inventoryDevice,
} from '../harness/identity-authority.ts';
import { type Certified, TestCa } from '../harness/pki.ts';
import { TestDevice } from '../harness/test-device.ts';
import { type ConnectionBindings, exchangeOnTls } from '../harness/tls-exchange.ts';

/** What a client may bring to prove who it is, and for what. */
describe('RFC 7030, the credential of a client', () => {
  const cleanup = suiteCleanup();
  const ra = TestCa.root('Example RA CA').registrationAuthority('ra-1');
  const maker = TestCa.root('Example Maker CA');
  let authority: IdentityAuthority;
  before(async () => {
    authority = await authorityWithIdentities(cleanup, {
      office: { kind: 'ra', certificates: [ra], device: 'id', from: ['commonName'] },
      maker: { kind: 'idevid', certificates: [maker] },
    });
  });

  describe('deviation, 2.3: a renewal by another credential,', () => {
    test('a secret renews nothing at simplereenroll', async () => {
      const { key, certificate, secret, id } = await renewable('laptop-1');
      const answer = await est({
        url: `${authority.est}/simplereenroll`,
        trust: authority.trustPem,
        user: [id, secret],
        body: base64(renewalCsr(certificate!, key)),
      });
      assert.equal(answer.status, 403, answer.text);
    });

    test('nor does it beside the certificate of another device', async () => {
      const { key, certificate, secret, id } = await renewable('laptop-2');
      const other = await TestDevice.enrolled(authority, 'laptop-3');
      const answer = await est({
        url: `${authority.est}/simplereenroll`,
        trust: authority.trustPem,
        user: [id, secret],
        client: { certificate: other.certificate!, key: other.key },
        body: base64(renewalCsr(certificate!, key)),
      });
      assert.equal(answer.status, 400, answer.text);
    });
  });

  /** Enrolled, and with another secret that is still good. */
  async function renewable(id: string): Promise<TestDevice> {
    const device = await TestDevice.enrolled(authority, id);
    await device.newSecret();
    return device;
  }

  test('deviation, 4.2.1: the certificate that it has brings no additional one of another template, a secret does', async () => {
    const identifiers = { dnsName: 'server-1.example.org' };
    const settings = { deviceClass: 'server', identifiers };
    const device = await TestDevice.enrolled(authority, 'server-1', settings);
    const request = {
      url: `${authority.est}/server/simpleenroll`,
      trust: authority.trustPem,
      client: { certificate: device.certificate!, key: device.key },
      body: base64(renewalCsr(device.certificate!, makeKey())),
    };
    await assertRefused(authority, await est(request), 403, ['renewal-template']);
    const user = ['server-1', await authority.admin.secret('server-1', 'server')] as const;
    assert.equal((await est({ ...request, user })).status, 202);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('approveRequest', { id: items[0]!.id });
    assert.equal((await est({ ...request, user })).status, 200);
  });

  test('3.7, a registration authority has verified the binding of the connection between device and itself', async () => {
    const forward = async (client: Certified, binding: (bindings: ConnectionBindings) => Buffer) => {
      const { id, serialNumber } = await inventoryDevice(authority);
      const by = client === maker ? maker.idevid({ serialNumber }) : client;
      return exchangeOnTls({
        url: `${authority.est}/device/simpleenroll`,
        trust: authority.trustPem,
        version: 'TLSv1.3',
        client: by,
        csr: (bindings) => csrFor(id, makeKey(), { challengePassword: base64(binding(bindings)) }),
      });
    };
    const ofAnother = () => Buffer.alloc(32, 7);
    for (const binding of [ofAnother, ({ exporter }: ConnectionBindings) => exporter]) {
      const answer = await forward(ra, binding);
      assert.equal(answer.status, 200, answer.text);
    }
    // Whoever is no registration authority has verified nothing.
    await assertRefused(authority, await forward(maker, ofAnother), 400, ['binding-matches']);
  });
});
