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
  mac,
  createSecret,
  newSecret,
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
    assert.deepEqual(seen.earlierEvidence, { same: true, fresh: true, certificate: null });
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
