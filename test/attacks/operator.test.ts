import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { assertRefused, supportCodeOf } from '../harness/expect.ts';
import {
  askWith,
  authorityWithIdentities,
  type IdentityAuthority,
  inventoryDevice,
  issuedTo,
  lettingIdentitiesIn,
} from '../harness/identity-authority.ts';
import { TestCa } from '../harness/pki.ts';
import { TestDevice } from '../harness/test-device.ts';

const root = TestCa.root('Example Devices Root');
const identities = { maker: { kind: 'idevid', certificates: [root] } } as const;

const naming = (yaml: string): string => {
  const settings = parse(yaml) as { templates: Record<string, object> };
  settings.templates['device'] = {
    ...settings.templates['device'],
    request: { subjectAltName: [{ dns: 'corp.example', maximum: 3 }] },
    renewal: { changeSubjectName: true },
  };
  return stringify(settings, { aliasDuplicateObjects: false });
};

const dns = (value: string) => ({ subjectAltName: [{ kind: 'dns' as const, value }] });

/** What an operator decides holds for what they saw, once, and for nothing beyond it. */
describe('an operator who', () => {
  const cleanup = suiteCleanup();
  let named: Awaited<ReturnType<typeof authorityInProcess>>;
  let withMaker: IdentityAuthority;
  before(async () => {
    named = await authorityInProcess(cleanup, naming);
    withMaker = await authorityWithIdentities(cleanup, identities);
  });
  const pending = async (authority: typeof named, device: string) => {
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending', limit: 1000 });
    return items.filter((request) => request.device === device);
  };

  test('approves what was shown does not approve the names that came after it', async () => {
    const device = await TestDevice.unapproved(named, 'kiosk-1');
    assert.equal(
      (await device.enroll({ csr: csrFor('kiosk-1', device.key, dns('kiosk-1.corp.example')) })).status,
      202,
    );
    const [shown] = await pending(named, 'kiosk-1');
    await device.newSecret();
    const other = await device.enroll({ csr: csrFor('kiosk-1', device.key, dns('dc01.corp.example')) });
    assert.equal(other.status, 202);
    const approved = await sallyportHere('request', 'approve', shown!.id, '--config', named.configuration);
    assert.equal(approved.code, 1, approved.stdout);
    assert.match(approved.stderr, /denied already/);
    const asked = await device.enroll({ csr: csrFor('kiosk-1', device.key, dns('dc01.corp.example')) });
    assert.equal(asked.status, 202);
    assert.equal(await issuedTo(named, 'kiosk-1'), 0);
  });

  test('approves beforehand does not approve names that the request brings', async () => {
    const device = await TestDevice.expected(named, 'laptop-8');
    const answer = await device.enroll({ csr: csrFor('laptop-8', device.key, dns('dc01.corp.example')) });
    assert.equal(answer.status, 202, answer.text);
    await device.newSecret();
    assert.equal((await device.enroll({ key: makeKey() })).status, 200);
  });

  test('denies is not asked again for the same key and names, until they approve the device', async () => {
    const { id, serialNumber } = await inventoryDevice(withMaker, { approveFor: [] });
    const idevid = root.idevid({ serialNumber });
    const csr = csrFor(id, makeKey());
    assert.equal((await askWith(withMaker, idevid, id, { csr })).status, 202);
    const [request] = await pending(withMaker, id);
    await withMaker.admin.client.perform('denyRequest', { id: request!.id });
    const again = await askWith(withMaker, idevid, id, { csr });
    await assertRefused(withMaker, again, 403, ['denied', 'first-enrollment']);
    assert.match(again.text, /An operator has denied this request/);
    assert.deepEqual(await pending(withMaker, id), []);
    assert.equal((await askWith(withMaker, idevid, id, { csr: csrFor(id, makeKey()) })).status, 202);

    withMaker.advance(1000);
    await withMaker.admin.client.perform('approveDevice', { id, template: 'device' });
    assert.equal((await askWith(withMaker, idevid, id, { csr })).status, 200);
  });

  test('is asked by one certificate no more often than its device may enroll', async () => {
    const device = await TestDevice.enrolled(named, 'laptop-9', { template: 'device' });
    await named.admin.client.perform('approveDevice', { id: device.id, template: 'device' });
    const statuses: number[] = [];
    for (let asked = 0; asked < 8; asked += 1) {
      await device.newSecret();
      // The approval beforehand covers none of these names.
      const key = makeKey();
      const csr = csrFor(device.id, key, dns(`host-${asked}.corp.example`));
      statuses.push((await device.enroll({ csr })).status);
    }
    // `init` gives a device five at once, and one is spent.
    assert.deepEqual(statuses, [202, 202, 202, 202, 429, 429, 429, 429]);
    assert.equal((await pending(named, device.id)).length, 4);
  });

  test('approved beforehand a device that needed no approval has not approved its copy', async () => {
    const open = await authorityWithIdentities(cleanup, identities, lettingIdentitiesIn());
    const { id, serialNumber } = await inventoryDevice(open, { approveFor: ['device'] });
    const idevid = root.idevid({ serialNumber });
    const genuine = await askWith(open, idevid, id, { csr: csrFor(id, makeKey()) });
    assert.equal(genuine.status, 200, genuine.text);
    const copy = await askWith(open, idevid, id, { csr: csrFor(id, makeKey()) });
    assert.equal(copy.status, 202, copy.text);
    const { entry } = await open.admin.entry(supportCodeOf(copy));
    const { verdict } = entry as unknown as { verdict: { objections: { control: string }[] } };
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['enrollment-again'],
    );
    assert.equal(await issuedTo(open, id), 1);
  });
});
