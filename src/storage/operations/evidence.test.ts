import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import type { Examination } from '#evidence';
import { all } from '../operation.ts';
import { statement } from '../statement.ts';
import {
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issue,
  issuedRecord,
  mac,
  createSecret,
  newSecret,
  now,
  observeQuery,
  openStores,
} from '../storage.fixture.ts';
import { usedEvidence } from './evidence.fixture.ts';

const verified: Examination = {
  sha256: digest('evidence'),
  format: 'external',
  fault: null,
  certificates: [],
  statement: {
    spki: digest('key'),
    fresh: null,
    identities: { serialNumber: 'S-1' },
    claims: {
      format: 'external',
      verifier: 'knox',
      type: 'samsung-knox',
      level: 'tee',
      code: 'verified',
      answer: digest('answer'),
    },
  },
};
const used = usedEvidence('evidence', { verified });

const selectHolders = statement((database) => database.selectFrom('evidence_nonce').select('holder'));

const isConflict = (error: unknown) => isSallyportError(error, 'conflict');

suite('what a verifier outside said', () => {
  test('is kept for the same request, and for no other', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('s1', 'd1'));
    await createSecret(admin, newSecret('s2', 'd2'));
    const query = { secretMacs: [mac('s1')], evidence: used.sha256 };
    const before = await enrollment.observe(observeQuery(query));
    assert.deepEqual([before.earlierEvidence, before.verifiedEvidence], [null, null]);
    await enrollment.hold(holdRecord('r1', 'd1', { evidence: used, entry: entry('held') }));
    const seen = await enrollment.observe(observeQuery(query));
    assert.deepEqual(seen.verifiedEvidence, verified);
    assert.deepEqual(seen.earlierEvidence, { same: true, fresh: true, certificate: null, seenAt: now });
    for (const other of [
      { spki: digest('other key') },
      { template: 'server' },
      { secretMacs: [mac('s2')] },
      { evidence: digest('other evidence') },
    ]) {
      const { verifiedEvidence } = await enrollment.observe(observeQuery({ ...query, ...other }));
      assert.equal(verifiedEvidence, null, JSON.stringify(Object.keys(other)));
    }
  });

  test('is of the request that it came with first: another one gets nothing by it', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await enrollment.hold(holdRecord('r1', 'd1', { evidence: { ...used, fresh: false } }));
    for (const [id, deviceId, changes] of [
      ['i1', 'd2', {}],
      ['i2', 'd1', { spki: digest('another key') }],
      ['i3', 'd1', { template: 'server' }],
    ] as const) {
      const other = intent(id, deviceId, { evidence: used, ...changes });
      assert.equal(await enrollment.reserve(other), 'conflict', id);
    }
    assert.equal(await enrollment.reserve(intent('i4', 'd1', { evidence: used })), 'reserved');
    // Nor is it fresh since it came again.
    const query = observeQuery({ identity: { column: 'id', value: 'd1' }, evidence: used.sha256 });
    assert.equal((await enrollment.observe(query)).earlierEvidence?.fresh, false);
  });

  test('is not kept of what is examined here', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    await enrollment.hold(holdRecord('r1', 'd1', { evidence: { ...used, verified: null } }));
    const query = observeQuery({ secretMacs: [mac('s1')], evidence: used.sha256 });
    const { earlierEvidence, verifiedEvidence } = await enrollment.observe(query);
    assert.deepEqual([earlierEvidence?.same, verifiedEvidence], [true, null]);
  });
});

suite('evidence that got no certificate', () => {
  test('is forgotten, and its nonce was used up when it came', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const nonce = new Uint8Array(32).fill(7);
    const given = { secretMacs: [mac('s1')], presenterSha256: null, isVouchedFor: false };
    await enrollment.giveNonce({ ...given, nonce, expiresAt: now + 1e12, now, entry: entry('nonce') });
    const query = observeQuery({ secretMacs: [mac('s1')], evidence: used.sha256 });
    assert.deepEqual((await enrollment.observe(query)).nonce, nonce);
    const evidence = { ...used, secretId: 's1', nonce };
    await enrollment.hold(holdRecord('r1', 'd1', { evidence, secretId: 's1', entry: entry('held') }));

    await enrollment.forgetWaitingEvidence(now - 1);
    const waiting = await enrollment.observe(query);
    assert.deepEqual([waiting.earlierEvidence?.fresh, waiting.nonce], [true, null]);
    await enrollment.forgetWaitingEvidence(now);
    const forgotten = await enrollment.observe(query);
    assert.deepEqual([forgotten.earlierEvidence, forgotten.nonce], [null, null]);
  });

  test('is not what got one, which is of that request for ever', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const intended = intent('i1', 'd1', { evidence: used });
    await enrollment.reserve(intended);
    const record = issuedRecord(intended);
    await enrollment.close(record);
    await enrollment.forgetWaitingEvidence(now + 1e12);
    const query = observeQuery({ secretMacs: [mac('s1')], evidence: used.sha256 });
    const { earlierEvidence } = await enrollment.observe(query);
    assert.equal(earlierEvidence?.certificate, record.certificate.sha256);
  });
});

suite('the nonce of evidence', () => {
  const given = { secretMacs: [mac('s1')], presenterSha256: null, isVouchedFor: false };
  async function withNonce(t: TestContext) {
    const stores = openStores(t);
    await importDevices(stores.admin, device('d1'));
    await createSecret(stores.admin, newSecret('s1', 'd1'));
    const giveNonce = async (octet: number) => {
      const nonce = new Uint8Array(32).fill(octet);
      const expiresAt = now + 1e12;
      await stores.enrollment.giveNonce({ ...given, nonce, expiresAt, now, entry: entry(`nonce ${octet}`) });
      return nonce;
    };
    return { ...stores, giveNonce };
  }
  const evidenceOf = (name: string, nonce: Uint8Array | null) =>
    usedEvidence(name, { secretId: 's1', nonce });

  test('is used up by the first that holds it, of whatever key', async (t) => {
    const { enrollment, giveNonce } = await withNonce(t);
    const nonce = await giveNonce(1);
    const [first, second] = ['one', 'two'].map((name) =>
      intent(name, 'd1', { spki: digest(name), evidence: evidenceOf(name, nonce) }),
    );
    assert.equal(await enrollment.reserve(first!), 'reserved');
    assert.equal(await enrollment.reserve(second!), 'conflict');
    const held = holdRecord('r1', 'd1', { evidence: evidenceOf('three', nonce), entry: entry('held') });
    await assert.rejects(enrollment.hold(held), isConflict);
  });

  test('is of who was given it: it is not used up by another one, nor by another nonce', async (t) => {
    const { admin, enrollment, giveNonce } = await withNonce(t);
    const [older, nonce] = [await giveNonce(1), await giveNonce(2)];
    await createSecret(admin, newSecret('s2', 'd1'));
    for (const evidence of [
      evidenceOf('older', older),
      usedEvidence('theirs', { secretId: 's2', nonce }),
      usedEvidence('by certificate', { presenterSha256: digest('certificate'), nonce }),
    ]) {
      assert.equal(await enrollment.reserve(intent(evidence.sha256, 'd1', { evidence })), 'conflict');
    }
    const evidence = digest('evidence');
    const seen = async (id: string) =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac(id)], evidence }))).nonce;
    assert.deepEqual([await seen('s1'), await seen('s2')], [nonce, null]);
  });

  test('is in force until it ends, the newer one for as long as that says, and then is forgotten', async (t) => {
    const { enrollment, query } = await withNonce(t);
    const nonces = [1, 2].map((octet) => new Uint8Array(32).fill(octet));
    for (const [at, nonce] of nonces.entries()) {
      const expiresAt = now + 10 * (at + 1);
      await enrollment.giveNonce({ ...given, nonce, expiresAt, now, entry: entry(`nonce ${at}`) });
    }
    const seen = async (at: number) => {
      const asking = { secretMacs: [mac('s1')], evidence: digest('evidence'), now: at };
      return (await enrollment.observe(observeQuery(asking))).nonce;
    };
    assert.deepEqual([await seen(now + 19), await seen(now + 20)], [nonces[1], null]);
    await enrollment.forgetEvidenceNonces(now + 19);
    assert.equal((await query(all(selectHolders, {}))).length, 1);
    await enrollment.forgetEvidenceNonces(now + 20);
    assert.equal((await query(all(selectHolders, {}))).length, 0);
  });

  test('is kept for a secret, or for a certificate of ours or that others vouch for, and for no other', async (t) => {
    const { enrollment, query } = await withNonce(t);
    const own = (await issue(enrollment, intent('i1', 'd1'))).sha256;
    const [vouchedFor, stranger] = [digest('vouched for'), digest('stranger')];
    const asked = { nonce: new Uint8Array(32), expiresAt: now + 1, now, secretMacs: [] as Uint8Array[] };
    for (const [presenterSha256, more] of [
      [own, {}],
      [vouchedFor, { isVouchedFor: true }],
      [stranger, {}],
      // Who presents both has the nonce by the secret.
      [digest('beside a secret'), { secretMacs: [mac('s1')], isVouchedFor: true }],
      [null, { secretMacs: [mac('a guess')] }],
    ] as const) {
      const act = { ...asked, presenterSha256, isVouchedFor: false, ...more };
      await enrollment.giveNonce({ ...act, entry: entry(`nonce for ${presenterSha256}`) });
    }
    const holders = (await query(all(selectHolders, {}))).map(({ holder }) => holder);
    assert.deepEqual(
      holders.toSorted(),
      [`certificate ${own}`, `certificate ${vouchedFor}`, 'secret s1'].toSorted(),
    );
  });

  test('that came after it stays, when the same request asks again', async (t) => {
    const { enrollment, giveNonce } = await withNonce(t);
    await enrollment.hold(holdRecord('r1', 'd1', { evidence: evidenceOf('one', await giveNonce(1)) }));
    const newer = await giveNonce(2);
    const again = evidenceOf('one', null);
    await enrollment.hold(holdRecord('r2', 'd1', { evidence: again, entry: entry('again') }));
    const seen = await enrollment.observe(observeQuery({ secretMacs: [mac('s1')], evidence: digest('one') }));
    assert.deepEqual([seen.nonce, seen.earlierEvidence?.fresh], [newer, true]);
  });
});

suite('evidence of a certificate that was reserved and never issued', () => {
  test('is of the same request still, and fresh', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    assert.equal(await enrollment.reserve(intent('i1', 'd1', { evidence: used })), 'reserved');
    const query = observeQuery({ secretMacs: [mac('s1')], evidence: used.sha256 });
    const { earlierEvidence } = await enrollment.observe(query);
    assert.deepEqual(earlierEvidence, { same: true, fresh: true, certificate: null, seenAt: now });
    const other = await enrollment.observe({ ...query, spki: digest('another key') });
    assert.equal(other.earlierEvidence?.same, false);
  });

  test('is good for one certificate, of two that were reserved', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    const [first, second] = ['i1', 'i2'].map((id) => intent(id, 'd1', { evidence: used }));
    assert.equal(await enrollment.reserve(first!), 'reserved');
    assert.equal(await enrollment.reserve(second!), 'reserved');
    await enrollment.close(issuedRecord(first!));
    await assert.rejects(enrollment.close(issuedRecord(second!)), isConflict);
  });

  test('is good for none, when it was forgotten meanwhile or is of another request since', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    const reserved = intent('i1', 'd1', { evidence: used });
    assert.equal(await enrollment.reserve(reserved), 'reserved');
    await enrollment.forgetWaitingEvidence(now);
    await assert.rejects(enrollment.close(issuedRecord(reserved)), isConflict);
    await enrollment.hold(holdRecord('r2', 'd2', { evidence: used, entry: entry('held') }));
    await assert.rejects(enrollment.close(issuedRecord(reserved)), isConflict);
  });
});
