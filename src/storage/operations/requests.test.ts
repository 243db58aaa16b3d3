import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { NewApproval } from '#admin';
import type { EvidenceSeen } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';

const forRequest = { spki: digest('key'), names: digest('names') };

/** Device d1, whose pending request r1 reserved secret s1. */
async function held(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  await createSecret(stores.admin, newSecret('s1', 'd1'));
  await stores.enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1' }));
  return stores;
}

function seenAs(evidence: string, firmware: string): EvidenceSeen {
  return {
    sha256: digest(evidence),
    said: { format: 'tpm', versions: { firmware }, attestingKey: digest('attestation key') },
  };
}

async function observe({ enrollment }: Stores) {
  return enrollment.observe(observeQuery({ secretMacs: [mac('s1')], spki: forRequest.spki }));
}

suite('listing requests', () => {
  test('goes by age in pages, and by state', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    for (const [id, age] of [
      ['c', 3],
      ['a', 2],
      ['b', 2],
    ] as const) {
      await enrollment.hold(holdRecord(id, 'd1', { spki: digest(id), now: now - age }));
    }
    await admin.denyRequest({ id: 'a', by: 'ada', now, entry: entry('deny') });
    const ids = async (filter: Parameters<typeof admin.requests>[0]) =>
      (await admin.requests(filter)).map(({ id }) => id);
    assert.deepEqual(await ids({ limit: 2 }), ['c', 'a']);
    assert.deepEqual(await ids({ limit: 2, after: 'a' }), ['b']);
    assert.deepEqual(await ids({ limit: 9, state: 'pending' }), ['c', 'b']);
    assert.deepEqual(await ids({ limit: 9, state: 'denied' }), ['a']);
    assert.equal(await admin.request('unknown'), null);
  });
});

suite('approving a request', () => {
  test('decides it and opens the approval for device, template, key and names', async (t) => {
    const stores = await held(t);
    const approval = newApproval('a1', 'd1', forRequest);
    const act = { id: 'r1', approval, ofEvidence: [], now: now + 1, entry: entry('approve') };
    assert.deepEqual(await stores.admin.approveRequest(act), { index: 3 });
    const request = await stores.admin.request('r1');
    assert.deepEqual([request?.state, request?.decidedBy, request?.decidedAt], ['approved', 'ada', now + 1]);
    const { approval: open } = await observe(stores);
    assert.deepEqual([open?.id, open?.spki, open?.names], ['a1', forRequest.spki, forRequest.names]);
    assert.deepEqual((await verifiedIds(stores.log)).at(-1), 'approve');
  });

  for (const [what, changes] of [
    ['another device', { deviceId: 'd2' }],
    ['another template', { template: 'other' }],
    ['another key', { spki: digest('other') }],
    ['any key', { spki: null }],
    ['other names, as after a refresh', { names: digest('other') }],
    ['evidence that it does not have', { evidence: seenAs('evidence', '1.9') }],
  ] as const) {
    test(`by an approval for ${what} is a conflict`, async (t) => {
      const stores = await held(t);
      await importDevices(stores.admin, device('d2'));
      const approval = newApproval('a1', 'd1', { ...forRequest, ...changes });
      await assert.rejects(
        stores.admin.approveRequest({ id: 'r1', approval, ofEvidence: [], now, entry: entry('approve') }),
        (error) => isSallyportError(error, 'conflict'),
      );
      assert.equal((await stores.admin.request('r1'))?.state, 'pending');
      assert.equal((await observe(stores)).approval, null);
    });
  }
});

suite('approving what evidence said', () => {
  const lifts = ['attestation-rollback', 'enrollment-again'];
  const ofEvidence = ['attestation-rollback'];

  /** r1, of firmware 1.9, is approved; then r2 of the same key is, with this evidence, which wants only its first-enrollment lifted. */
  async function approvedTwice(t: TestContext, first: Partial<NewApproval>, then: EvidenceSeen | null) {
    const stores = openStores(t);
    await importDevices(stores.admin, device('d1'));
    await createSecret(stores.admin, newSecret('s1', 'd1'));
    const { evidence = seenAs('evidence', '1.9'), ...changes } = first;
    if (changes.spki === null) {
      const approval = newApproval('a1', 'd1', { lifts, ...changes });
      await stores.admin.approveDevice({ approval, now, entry: entry('approve a1') });
    } else {
      await stores.enrollment.hold(holdRecord('r1', 'd1', { seen: evidence }));
      const approval = newApproval('a1', 'd1', { lifts, ...forRequest, evidence });
      await stores.admin.approveRequest({ id: 'r1', approval, ofEvidence, now, entry: entry('approve a1') });
      assert.deepEqual((await observe(stores)).approval?.evidence, evidence);
    }
    await stores.enrollment.hold(holdRecord('r2', 'd1', { seen: then }));
    const approval = newApproval('a2', 'd1', { ...forRequest, evidence: then });
    await stores.admin.approveRequest({ id: 'r2', approval, ofEvidence, now, entry: entry('approve a2') });
    const open = (await observe(stores)).approval;
    assert.deepEqual([open?.id, open?.evidence], ['a2', then]);
    return open?.lifts;
  }
  const all = [...lifts, 'first-enrollment'];

  test('takes in what was lifted before for evidence that says the same', async (t) => {
    assert.deepEqual(await approvedTwice(t, {}, seenAs('other evidence', '1.9')), all);
  });

  test('takes in what was lifted beforehand, for whatever evidence', async (t) => {
    assert.deepEqual(await approvedTwice(t, { spki: null }, seenAs('evidence', '1.9')), all);
  });

  for (const [what, evidence, then] of [
    ['said something else', seenAs('evidence', '1.9'), seenAs('other evidence', '0.1')],
    ['is none any more', seenAs('evidence', '1.9'), null],
    ['nobody wrote down', null, seenAs('evidence', '1.9')],
    ['nobody wrote down, twice', null, null],
  ] as const) {
    test(`leaves what was lifted for evidence that ${what}`, async (t) => {
      assert.deepEqual(await approvedTwice(t, { evidence }, then), ['enrollment-again', 'first-enrollment']);
    });
  }
});

suite('ending a request', () => {
  test('that nobody decided, or that was approved and not collected, voids the secret that it reserved', async (t) => {
    for (const approved of [false, true]) {
      const stores = await held(t);
      if (approved) {
        const approval = newApproval('a1', 'd1', forRequest);
        await stores.admin.approveRequest({
          id: 'r1',
          approval,
          ofEvidence: [],
          now,
          entry: entry('approve'),
        });
      }
      await stores.admin.endRequest({ id: 'r1', now: now + 1, entry: entry('end') });
      const request = await stores.admin.request('r1');
      assert.deepEqual([request?.state, request?.decidedBy], ['denied', 'authority']);
      assert.equal((await observe(stores)).secret?.state, 'void');
      assert.equal((await verifiedIds(stores.log)).at(-1), 'end');
    }
  });

  test('that is decided otherwise is a conflict, and one that is not there is none', async (t) => {
    const { admin } = await held(t);
    await admin.denyRequest({ id: 'r1', by: 'bob', now, entry: entry('deny') });
    const end = (id: string) => admin.endRequest({ id, now, entry: entry('end') });
    await assert.rejects(end('r1'), (error) => isSallyportError(error, 'conflict'));
    await assert.rejects(end('r9'), (error) => isSallyportError(error, 'not-found'));
    assert.equal((await admin.request('r1'))?.decidedBy, 'bob');
  });
});

suite('denying a request', () => {
  test('decides it and voids the secret that it reserved', async (t) => {
    const stores = await held(t);
    const act = { id: 'r1', by: 'bob', now: now + 1, entry: entry('deny') };
    assert.deepEqual(await stores.admin.denyRequest(act), { index: 3 });
    const request = await stores.admin.request('r1');
    assert.deepEqual([request?.state, request?.decidedBy, request?.decidedAt], ['denied', 'bob', now + 1]);
    assert.equal((await observe(stores)).secret?.state, 'void');
  });

  test('leaves secrets of other keys and templates alone', async (t) => {
    const { admin, enrollment } = await held(t);
    await createSecret(admin, newSecret('other key', 'd1', { createdAt: now + 1 }));
    await createSecret(admin, newSecret('other template', 'd1', { createdAt: now + 2, template: 'other' }));
    await createSecret(admin, newSecret('live', 'd1', { createdAt: now + 3 }));
    await enrollment.hold(holdRecord('r2', 'd1', { secretId: 'other key', spki: digest('other') }));
    await enrollment.hold(holdRecord('r3', 'd1', { secretId: 'other template', template: 'other' }));
    await admin.denyRequest({ id: 'r1', by: 'ada', now, entry: entry('deny') });
    assert.deepEqual(
      (await admin.secrets({ limit: 9 })).map(({ id, state }) => `${id}: ${state}`),
      ['s1: void', 'other key: reserved', 'other template: reserved', 'live: live'],
    );
  });
});

suite('deciding', () => {
  test('twice is a conflict, whatever was decided; an unknown request is not found', async (t) => {
    const { admin, enrollment, log } = await held(t);
    const approve = (id: string) =>
      admin.approveRequest({
        id,
        approval: newApproval('a1', 'd1', forRequest),
        ofEvidence: [],
        now,
        entry: entry('approve'),
      });
    const deny = (id: string) => admin.denyRequest({ id, by: 'ada', now, entry: entry('deny') });
    await assert.rejects(approve('r9'), (error) => isSallyportError(error, 'not-found'));
    await assert.rejects(deny('r9'), (error) => isSallyportError(error, 'not-found'));
    await deny('r1');
    await enrollment.hold(holdRecord('r2', 'd1', { spki: digest('key') }));
    await approve('r2');
    const { size } = await log.head();
    for (const decide of [approve, deny]) {
      for (const id of ['r1', 'r2']) {
        await assert.rejects(decide(id), (error) => isSallyportError(error, 'conflict'));
      }
    }
    assert.equal((await log.head()).size, size);
  });
});
