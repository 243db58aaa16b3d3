import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { UsedEvidence } from '#enrollment';
import type { Examination } from '#evidence';
import {
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issuedRecord,
  mac,
  createSecret,
  newSecret,
  now,
  observeQuery,
  openStores,
} from '../storage.fixture.ts';

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
const used: UsedEvidence = {
  secretId: null,
  presenterSha256: null,
  sha256: verified.sha256,
  fresh: true,
  verified,
  memory: null,
  alarm: null,
};

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
    const evidence = { ...used, secretId: 's1' };
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
    const intended = intent('i1', 'd1');
    await enrollment.reserve(intended);
    const record = issuedRecord(intended);
    await enrollment.close({ ...record, evidence: used });
    await enrollment.forgetWaitingEvidence(now + 1e12);
    const query = observeQuery({ secretMacs: [mac('s1')], evidence: used.sha256 });
    const { earlierEvidence } = await enrollment.observe(query);
    assert.equal(earlierEvidence?.certificate, record.certificate.sha256);
  });
});
