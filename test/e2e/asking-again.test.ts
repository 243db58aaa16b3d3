import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { GeneralName } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { TestDevice } from '../harness/test-device.ts';

/** An answer is lost on its way. "The same request again gets the same certificate", whatever would stand before a new one by now. */
describe('the same request again gets the same certificate', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  /** Findings about the configuration. */
  let told = 0;
  before(async () => {
    authority = await authorityInProcess(
      cleanup,
      withTemplates({
        late: { renewalWindow: '30d' },
        naming: { request: { subjectAltName: [{ dns: 'corp.example', maximum: 3 }] } },
      }),
    );
    told = authority.faults.length;
  });

  async function approve({ id }: TestDevice): Promise<void> {
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('approveRequest', {
      id: items.find(({ device }) => device === id)!.id,
    });
  }

  test('of a device that was set up anew, with a new secret and an approval', async () => {
    const device = await TestDevice.enrolled(authority, 'set-up-anew');
    await authority.admin.client.perform('approveDevice', { id: device.id, template: 'device' });
    await device.newSecret();
    const key = makeKey();
    const first = await device.enroll({ key });
    assert.equal(first.status, 200, first.text);
    const again = await device.enroll({ key });
    assert.deepEqual(again.certificates, first.certificates, again.text);
  });

  test('of a device that renewed with a new key meanwhile', async () => {
    const device = await TestDevice.enrolled(authority, 'renewed-meanwhile');
    const first = device.certificate;
    assert.equal((await device.renew({ key: makeKey() })).status, 200);
    const again = await device.enroll();
    assert.deepEqual(again.certificates[0], first, again.text);
  });

  test('of a renewal before its window, which an operator let through once', async () => {
    const device = await TestDevice.enrolled(authority, 'early', { template: 'late' });
    const current = device.certificate;
    const key = makeKey();
    assert.equal((await device.renew({ key })).status, 202);
    await approve(device);
    const first = await device.renew({ key });
    assert.equal(first.status, 200, first.text);
    device.certificate = current;
    const again = await device.renew({ key });
    assert.deepEqual(again.certificates, first.certificates, again.text);
  });

  test('that names its alternative names in another order', async () => {
    const device = await TestDevice.unapproved(authority, 'unordered', { template: 'naming' });
    const [a, b]: GeneralName[] = ['a', 'b'].map((name) => ({ kind: 'dns', value: `${name}.corp.example` }));
    const ask = (...subjectAltName: GeneralName[]) =>
      device.enroll({ csr: csrFor(device.id, device.key, { subjectAltName }) });
    assert.equal((await ask(a!, b!)).status, 202);
    assert.equal((await ask(b!, a!)).status, 202);
    await approve(device);
    const first = await ask(b!, a!);
    assert.equal(first.status, 200, first.text);
    assert.deepEqual((await ask(a!, b!)).certificates, first.certificates);
  });

  test('and none of this was a fault', () => {
    assert.equal(authority.faults.length, told);
  });
});
