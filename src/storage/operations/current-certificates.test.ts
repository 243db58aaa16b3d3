import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Intent, ObserveQuery, StoredCertificate } from '#enrollment';
import {
  certificateOf,
  createSecret,
  device,
  digest,
  entry,
  hour,
  importDevices,
  intent,
  issue,
  issuedRecord,
  mac,
  newSecret,
  now,
  observeQuery,
  openStores,
  type Stores,
} from '../storage.fixture.ts';

const identity = { column: 'id', value: 'd1' } as const;
const otherKey = { spki: digest('other key') };

/** Devices d1 and d2; what is observed is device d1 unless that is changed. */
async function prepared(t: Parameters<typeof openStores>[0]) {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  const observe = (changes: Partial<ObserveQuery> = {}) =>
    stores.enrollment.observe(observeQuery({ identity, ...changes }));
  return {
    ...stores,
    otherKeyCurrent: async (changes?: Partial<ObserveQuery>) => (await observe(changes)).otherKeyCurrent,
    issued: async (changes?: Partial<ObserveQuery>) => (await observe(changes)).issued,
  };
}

async function revoke({ admin }: Stores, { sha256 }: StoredCertificate): Promise<void> {
  await admin.revokeCertificate({ sha256, reason: 4, now, entry: entry('revoke') });
}

async function issueUntil({ enrollment }: Stores, wanted: Intent, notAfter: number): Promise<void> {
  await enrollment.reserve(wanted);
  await enrollment.close(issuedRecord(wanted, { certificate: certificateOf(wanted, { notAfter }) }));
}

suite('observing whether another key is current', () => {
  test('sees a certificate for another key, of this device and template', async (t) => {
    const { enrollment, otherKeyCurrent } = await prepared(t);
    await issue(enrollment, intent('i1', 'd1'));
    assert.equal(await otherKeyCurrent(), false);
    assert.equal(await otherKeyCurrent(otherKey), true);
    assert.equal(await otherKeyCurrent({ ...otherKey, template: 'other' }), false);
    assert.equal(await otherKeyCurrent({ ...otherKey, identity: { column: 'id', value: 'd2' } }), false);
  });

  test('sees it beside one for this key, older or newer', async (t) => {
    const { enrollment, otherKeyCurrent } = await prepared(t);
    await issue(enrollment, intent('i1', 'd1'));
    await issue(enrollment, intent('i2', 'd1', otherKey));
    assert.equal(await otherKeyCurrent(), true);
    assert.equal(await otherKeyCurrent(otherKey), true);
  });

  test('until it expires or is revoked', async (t) => {
    const stores = await prepared(t);
    const certificate = await issue(stores.enrollment, intent('i1', 'd1', otherKey));
    assert.equal(await stores.otherKeyCurrent({ now: certificate.notAfter }), true);
    assert.equal(await stores.otherKeyCurrent({ now: certificate.notAfter + 1 }), false);
    await revoke(stores, certificate);
    assert.equal(await stores.otherKeyCurrent(), false);
  });

  test('sees it behind many that are not', async (t) => {
    const stores = await prepared(t);
    for (const at of [1, 2, 3]) await issueUntil(stores, intent(`old ${at}`, 'd1', otherKey), now - 1);
    await revoke(stores, await issue(stores.enrollment, intent('revoked', 'd1', otherKey)));
    await issue(stores.enrollment, intent('own', 'd1'));
    assert.equal(await stores.otherKeyCurrent(), false);
    await issue(stores.enrollment, intent('current', 'd1', otherKey));
    await issueUntil(stores, intent('old', 'd1', otherKey), now - 1);
    assert.equal(await stores.otherKeyCurrent(), true);
  });

  test('an open intent is none yet', async (t) => {
    const { enrollment, otherKeyCurrent } = await prepared(t);
    await enrollment.reserve(intent('i1', 'd1', otherKey));
    assert.equal(await otherKeyCurrent(), false);
  });

  test('without a device there is none', async (t) => {
    const { enrollment, otherKeyCurrent } = await prepared(t);
    await issue(enrollment, intent('i1', 'd1', otherKey));
    assert.equal(await otherKeyCurrent({ identity: null }), false);
    assert.equal(await otherKeyCurrent({ secretMacs: [mac('unknown')] }), false);
  });
});

suite('observing what this key got already', () => {
  test('finds a first certificate, and the names that were intended', async (t) => {
    const { enrollment, issued } = await prepared(t);
    assert.equal(await issued(), null);
    const wanted = intent('i1', 'd1', { names: digest('names of d1') });
    await enrollment.reserve(wanted);
    assert.equal(await issued(), null, 'an open intent is none yet');
    await enrollment.close(issuedRecord(wanted));
    assert.deepEqual(await issued(), { sha256: certificateOf(wanted).sha256, names: digest('names of d1') });
  });

  test('of this device, template and key only', async (t) => {
    const { enrollment, issued } = await prepared(t);
    const { sha256 } = await issue(enrollment, intent('i1', 'd1'));
    assert.equal((await issued())?.sha256, sha256);
    assert.equal(await issued(otherKey), null);
    assert.equal(await issued({ template: 'other' }), null);
    assert.equal(await issued({ identity: { column: 'id', value: 'd2' } }), null);
    assert.equal(await issued({ identity: null }), null);
  });

  test('by the key that was certified, not the one that asked', async (t) => {
    const { enrollment, issued } = await prepared(t);
    const keys = { spki: digest('made here'), requestSpki: digest('key') };
    const { sha256 } = await issue(enrollment, intent('i1', 'd1', keys));
    assert.equal(await issued(), null);
    assert.equal((await issued({ spki: keys.spki }))?.sha256, sha256);
  });

  test('the newest of several, while it is current', async (t) => {
    const stores = await prepared(t);
    const { enrollment, issued } = stores;
    const oldest = await issue(enrollment, intent('z', 'd1'));
    const newest = await issue(enrollment, intent('a', 'd1', { names: digest('newer') }));
    await issueUntil(stores, intent('m', 'd1'), now - 1);
    assert.deepEqual(await issued(), { sha256: newest.sha256, names: digest('newer') });
    await revoke(stores, newest);
    assert.deepEqual(await issued(), { sha256: oldest.sha256, names: digest('names') });
    assert.equal((await issued({ now: oldest.notAfter }))?.sha256, oldest.sha256);
    assert.equal(await issued({ now: oldest.notAfter + 1 }), null);
  });

  test('as the newest, though it expires before an older one', async (t) => {
    const stores = await prepared(t);
    await issue(stores.enrollment, intent('long', 'd1'));
    await issueUntil(stores, intent('short', 'd1'), now + hour);
    assert.equal((await stores.issued())?.sha256, certificateOf(intent('short', 'd1')).sha256);
  });

  test('as the successor of a presenter of ours, and of no other', async (t) => {
    const { enrollment, issued } = await prepared(t);
    const first = await issue(enrollment, intent('i1', 'd1'));
    assert.equal(await issued({ presenterSha256: first.sha256 }), null, 'the presenter itself is none');
    const renewed = await issue(enrollment, intent('i2', 'd1', { predecessor: first.sha256 }));
    const again = await issue(enrollment, intent('i3', 'd1', { predecessor: renewed.sha256 }));
    const sha256Of = async (presenterSha256: string | null) => (await issued({ presenterSha256 }))?.sha256;
    assert.equal(await sha256Of(first.sha256), renewed.sha256);
    assert.equal(await sha256Of(renewed.sha256), again.sha256);
    assert.equal(await sha256Of(again.sha256), undefined);
    assert.equal(await sha256Of(null), first.sha256);
  });

  test('as a first one where the presenter is not in the store', async (t) => {
    const { enrollment, issued } = await prepared(t);
    const presenterSha256 = digest('of the manufacturer');
    assert.equal(await issued({ presenterSha256 }), null);
    const { sha256 } = await issue(enrollment, intent('i1', 'd1'));
    await issue(enrollment, intent('i2', 'd1', { predecessor: sha256 }));
    assert.equal((await issued({ presenterSha256 }))?.sha256, sha256);
  });

  test('for the device of the secret too', async (t) => {
    const { enrollment, admin, issued } = await prepared(t);
    await createSecret(admin, newSecret('s1', 'd1'));
    const { sha256 } = await issue(enrollment, intent('i1', 'd1', { secret: { id: 's1', state: 'live' } }));
    assert.equal((await issued({ identity: null, secretMacs: [mac('s1')] }))?.sha256, sha256);
  });
});
