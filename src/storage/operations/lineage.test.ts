import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { Intent, LineageObservation } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  approve,
  device,
  digest,
  entry,
  holdRecord,
  hour,
  importDevices,
  intent,
  issue,
  issuedRecord,
  newApproval,
  now,
  observeQuery,
  openStores,
  type Stores,
} from '../storage.fixture.ts';

const unseen = { forked: false, contested: false };
const keyOf = (id: string) => digest(`key of ${id}`);
const sha256Of = (id: string) => digest(`certificate of ${id}`);

/** The certificate `id`, of a key of its own, which renews that of `predecessor`. */
function renewal(id: string, predecessor: string | null, changes: Partial<Intent> = {}): Intent {
  const lineage = predecessor === null ? null : unseen;
  const of = { spki: keyOf(id), predecessor: predecessor === null ? null : sha256Of(predecessor), lineage };
  return intent(id, 'd1', { ...of, ...changes });
}

/** Device d1 with certificate a. */
async function withFirst(t: TestContext): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  await issue(stores.enrollment, renewal('a', null));
  return stores;
}

/** Somebody presents certificate `id` for the key of `to`. */
async function presenting({ enrollment }: Stores, id: string, to: string, at = now) {
  const query = { presenterSha256: sha256Of(id), spki: keyOf(to), now: at };
  return (await enrollment.observe(observeQuery(query))).lineage;
}

async function contest({ enrollment }: Stores, id: string, to: string) {
  const held = { spki: keyOf(to), contested: sha256Of(id), entry: entry(`hold ${to}`) };
  await enrollment.hold(holdRecord(`request of ${to}`, 'd1', held));
}

async function assertConflict(closing: Promise<unknown>): Promise<void> {
  await assert.rejects(closing, (error) => isSallyportError(error, 'conflict'));
}

const free: LineageObservation = { others: [], contested: null };
const forked = (...ids: string[]): LineageObservation => ({ others: ids.map(sha256Of), contested: null });
const contested = (id: string, ...others: string[]): LineageObservation => ({
  others: [],
  contested: { presented: sha256Of(id), others: others.map(sha256Of) },
});

suite('a line of certificates', () => {
  test('is free until one of them is renewed to one key and presented for another', async (t) => {
    const stores = await withFirst(t);
    assert.deepEqual(await presenting(stores, 'a', 'b'), free);
    await issue(stores.enrollment, renewal('b', 'a'));
    assert.deepEqual(await presenting(stores, 'a', 'b'), free);
    assert.deepEqual(await presenting(stores, 'a', 'c'), forked('b'));
    assert.deepEqual(await presenting(stores, 'b', 'c'), free);
    assert.equal((await stores.enrollment.observe(observeQuery())).lineage, null);
  });

  test('is free again where what came of it is revoked or has ended, and not while something of it is current', async (t) => {
    const stores = await withFirst(t);
    await issue(stores.enrollment, renewal('b', 'a'));
    await issue(stores.enrollment, renewal('c', 'b'));
    const revoke = (id: string) =>
      stores.admin.revokeCertificate({ sha256: sha256Of(id), reason: 4, now, entry: entry(`revoke ${id}`) });
    assert.deepEqual(await presenting(stores, 'a', 'z'), forked('b', 'c'));
    await revoke('b');
    assert.deepEqual(await presenting(stores, 'a', 'z'), forked('c'));
    assert.deepEqual(await presenting(stores, 'a', 'z', now + 25 * hour), free);
    await revoke('c');
    assert.deepEqual(await presenting(stores, 'a', 'z'), free);
  });

  test('that is contested holds up every branch, and not what is above', async (t) => {
    const stores = await withFirst(t);
    await issue(stores.enrollment, renewal('b', 'a'));
    await issue(stores.enrollment, renewal('c', 'b'));
    await issue(stores.enrollment, intent('other', 'd1', { spki: keyOf('other') }));
    await contest(stores, 'b', 'z');
    assert.deepEqual(await presenting(stores, 'c', 'd'), contested('b'));
    // What came of it itself is no other branch.
    assert.deepEqual(await presenting(stores, 'b', 'c'), contested('b'));
    assert.deepEqual(await presenting(stores, 'a', 'b'), forked('c'));
    assert.deepEqual(await presenting(stores, 'other', 'd'), free);
    const elsewhere = { presenterSha256: sha256Of('c'), spki: keyOf('d'), template: 'other' };
    assert.deepEqual((await stores.enrollment.observe(observeQuery(elsewhere))).lineage, free);
  });

  test('goes on where an operator let a certificate be issued, and nowhere else', async (t) => {
    const stores = await withFirst(t);
    await issue(stores.enrollment, renewal('b', 'a'));
    await contest(stores, 'a', 'c');
    const approved = renewal('c', 'a', { lineage: { forked: true, contested: true } });
    assert.equal(await stores.enrollment.reserve(approved), 'reserved');
    await stores.enrollment.close(issuedRecord(approved));
    assert.deepEqual(await presenting(stores, 'c', 'd'), free);
    assert.deepEqual(await presenting(stores, 'b', 'z'), contested('a', 'c'));
    // Whoever has the key of a holds up nobody any more.
    await contest(stores, 'a', 'y');
    assert.deepEqual(await presenting(stores, 'c', 'd'), free);
    await issue(stores.enrollment, renewal('d', 'c'));
    assert.deepEqual(await presenting(stores, 'd', 'e'), free);
    assert.deepEqual(await presenting(stores, 'b', 'z'), contested('a', 'c', 'd'));
    // And an operator may think again.
    const other = renewal('z', 'b', { lineage: { forked: false, contested: true } });
    assert.equal(await stores.enrollment.reserve(other), 'reserved');
    await stores.enrollment.close(issuedRecord(other));
    assert.deepEqual(await presenting(stores, 'z', 'x'), free);
    assert.deepEqual(await presenting(stores, 'd', 'e'), contested('a', 'b', 'z'));
  });

  test('of two keys that ask at once one gets a certificate, and the other nothing', async (t) => {
    const { enrollment } = await withFirst(t);
    assert.equal(await enrollment.reserve(renewal('b', 'a')), 'reserved');
    assert.equal(await enrollment.reserve(renewal('c', 'a')), 'reserved');
    await enrollment.close(issuedRecord(renewal('b', 'a')));
    await assertConflict(enrollment.close(issuedRecord(renewal('c', 'a'))));
    assert.equal(await enrollment.reserve(renewal('d', 'a')), 'conflict');
  });

  test('that an operator let go on before it was held is settled for its branch, and the others stay held', async (t) => {
    const stores = await withFirst(t);
    await issue(stores.enrollment, renewal('b', 'a'));
    await approve(stores.admin, newApproval('a1', 'd1', { lifts: ['renewal-lineage'] }));
    const lineage = { forked: true, contested: false };
    await issue(stores.enrollment, renewal('c', 'a', { approvalId: 'a1', lineage }));
    assert.deepEqual(await presenting(stores, 'b', 'd'), contested('a', 'c'));
    assert.deepEqual(await presenting(stores, 'c', 'e'), free);
  });

  test('that comes to be contested between reserving and closing gives nothing, and is not settled by it', async (t) => {
    const stores = await withFirst(t);
    await issue(stores.enrollment, renewal('b', 'a'));
    assert.equal(await stores.enrollment.reserve(renewal('c', 'b')), 'reserved');
    await contest(stores, 'a', 'z');
    await assertConflict(stores.enrollment.close(issuedRecord(renewal('c', 'b'))));
    assert.equal(await stores.enrollment.reserve(renewal('d', 'b')), 'conflict');
    assert.deepEqual(await presenting(stores, 'b', 'd'), contested('a'));
  });

  test('is not contested by what was reserved and came to nothing', async (t) => {
    const stores = await withFirst(t);
    assert.equal(await stores.enrollment.reserve(renewal('b', 'a')), 'reserved');
    await stores.admin.abandonIntent({ id: 'b', now, entry: entry('sweep') });
    await issue(stores.enrollment, renewal('c', 'a'));
    assert.deepEqual(await presenting(stores, 'c', 'd'), free);
  });

  test('may be long', async (t) => {
    const stores = await withFirst(t);
    let before = 'a';
    for (let at = 0; at < 40; at += 1) {
      await issue(stores.enrollment, renewal(`r${at}`, before));
      before = `r${at}`;
    }
    await contest(stores, 'a', 'z');
    assert.deepEqual(await presenting(stores, before, 'next'), contested('a'));
    const { others = [] } = (await presenting(stores, 'a', 'z')) ?? {};
    assert.deepEqual(
      others,
      Array.from({ length: 10 }, (_, at) => sha256Of(`r${at}`)),
    );
  });
});
