import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { parseCertificate } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { TestDevice } from '../harness/test-device.ts';

/** The client "is stateless in this regard": the server recognizes what is asked again, by credential, key and names. */
describe('RFC 7030 section 4.2.3, 202 and asking again', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => {
      const settings = parse(yaml) as { templates: Record<string, Record<string, unknown>> };
      settings.templates['device']!['renewalWindow'] = '30d';
      return stringify(settings);
    });
  });

  let devices = 0;
  const unapproved = () => TestDevice.unapproved(authority, `laptop-${(devices += 1)}`);
  const pending = async (id: string) => {
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    return items.filter(({ device }) => device === id);
  };
  async function approve(id: string): Promise<void> {
    const [request, ...others] = await pending(id);
    assert.equal(others.length, 0);
    await authority.admin.client.perform('approveRequest', { id: request!.id });
  }

  for (const label of ['', 'device']) {
    const path = label === '' ? '/simpleenroll' : `/${label}/simpleenroll`;
    test(`${path}: a request made anew for the same key is the same request, on another connection`, async () => {
      const device = await unapproved();
      const csrs = [1, 2, 3].map(() => csrFor(device.id, device.key));
      // ECDSA signs differently each time.
      assert.equal(new Set(csrs.map(base64)).size, 3);
      for (const csr of csrs.slice(0, 2)) {
        const held = await device.enroll({ csr, label });
        assert.equal(held.status, 202, held.text);
        assert.match(held.headers['retry-after'] ?? '', /^[1-9]\d*$/);
        assert.equal((await pending(device.id)).length, 1);
      }
      await approve(device.id);
      const issued = await device.enroll({ csr: csrs[2]!, label });
      assert.equal(issued.status, 200, issued.text);
      assert.deepEqual(
        Buffer.from(parseCertificate(issued.certificates[0]!).spki),
        Buffer.from(device.key.spki),
      );
    });
  }

  test('the label is no part of it: what waited under the default template is found under its label', async () => {
    const device = await unapproved();
    assert.equal((await device.enroll({ label: '' })).status, 202);
    await approve(device.id);
    assert.equal((await device.enroll({ label: 'device' })).status, 200);
  });

  test('another key is another request, and does not get what was approved', async () => {
    const device = await unapproved();
    assert.equal((await device.enroll()).status, 202);
    await approve(device.id);
    assert.notEqual((await device.enroll({ csr: csrFor(device.id, makeKey()) })).status, 200);
    assert.equal((await device.enroll()).status, 200);
  });

  test('/simplereenroll waits and is found again in the same way', async () => {
    const device = await TestDevice.enrolled(authority, 'early');
    const { certificate, key } = device;
    const renew = () =>
      est({
        url: `${authority.est}/simplereenroll`,
        trust: authority.trustPem,
        client: { certificate: certificate!, key },
        body: base64(renewalCsr(certificate!, key)),
      });
    for (const answer of [await renew(), await renew()]) {
      assert.equal(answer.status, 202, answer.text);
      assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    }
    await approve(device.id);
    assert.equal((await renew()).status, 200);
  });

  test('3.2.3: the user name may be empty, for the password belongs to no user', async () => {
    const device = await TestDevice.expected(authority, 'nameless');
    const answer = await est({
      url: `${authority.est}/simpleenroll`,
      trust: authority.trustPem,
      user: ['', device.secret],
      body: base64(csrFor(device.id, device.key)),
    });
    assert.equal(answer.status, 200, answer.text);
  });
});
