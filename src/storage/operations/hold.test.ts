import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { EvidenceSeen } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issue,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';

async function prepared(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  await createSecret(stores.admin, newSecret('s1', 'd1'));
  return stores;
}

async function secretState({ admin }: Stores, id: string): Promise<string | undefined> {
  return (await admin.secrets({ limit: 10 })).find((secret) => secret.id === id)?.state;
}

const seen: EvidenceSeen = {
  sha256: digest('evidence'),
  said: { format: 'tpm', versions: { firmware: '1.9' }, attestingKey: digest('attestation key') },
};

function saying(said: Partial<EvidenceSeen['said']>): EvidenceSeen {
  return { sha256: digest('other evidence'), said: { ...seen.said, ...said } };
}

suite('holding a request', () => {
  test('opens it, reserves its secret and appends its entry', async (t) => {
    const stores = await prepared(t);
    const record = holdRecord('r1', 'd1', { secretId: 's1' });
    const held = await stores.enrollment.hold(record);
    assert.deepEqual(held, { index: 2, request: 'r1', firstSeen: now });
    assert.deepEqual(await stores.admin.request('r1'), {
      id: 'r1',
      deviceId: 'd1',
      template: 'device',
      spki: record.spki,
      names: record.names,
      state: 'pending',
      objections: record.objections,
      summary: record.summary,
      evidence: record.seen,
      firstSeen: now,
      lastSeen: now,
      decidedBy: null,
      decidedAt: null,
    });
    const { secret } = await stores.enrollment.observe(
      observeQuery({ secretMacs: [mac('s1')], spki: record.spki }),
    );
    assert.equal(secret?.state, 'reserved');
    assert.deepEqual(secret.reservedFor, { spki: record.spki, names: record.names });
    assert.deepEqual(await verifiedIds(stores.log), ['import', 'create s1', 'r1']);
  });

  test('of a contested lineage is charged to the certificate that it presents', async (t) => {
    const { enrollment } = await prepared(t);
    const limits = { device: { burst: 1, count: 1, periodSeconds: 60 }, challenge: null };
    const contestant = digest('stolen');
    const held = (id: string, more: Parameters<typeof holdRecord>[2]) =>
      enrollment.hold(holdRecord(id, 'd1', { spki: digest(id), limits, ...more }));
    await held('r1', { contestant });
    await assert.rejects(held('r2', { contestant }), (error) => isSallyportError(error, 'conflict'));
    await held('r3', { contestant: digest('another') });
    await held('r4', { contestant: null });
    await assert.rejects(held('r5', { contestant: null }), (error) => isSallyportError(error, 'conflict'));
  });

  test('asked again finds the same request, with what is so now', async (t) => {
    const { enrollment, admin, log } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1' }));
    const [objection] = holdRecord('r1', 'd1').objections;
    const objections = [{ ...objection!, detail: 'still nobody approved it' }];
    const again = holdRecord('r2', 'd1', { secretId: 's1', now: now + 5, objections });
    assert.deepEqual(await enrollment.hold(again), { index: 3, request: 'r1', firstSeen: now });
    const request = await admin.request('r1');
    assert.equal(request?.lastSeen, now + 5);
    assert.deepEqual(request.objections, objections);
    assert.equal(await admin.request('r2'), null);
    assert.equal((await verifiedIds(log)).at(-1), 'r2');
  });

  test('asked again with other evidence that says the same finds the same request, and what it opened with', async (t) => {
    const { enrollment, admin } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1', { seen }));
    const again = holdRecord('r2', 'd1', { seen: { ...seen, sha256: digest('evidence of another nonce') } });
    assert.equal((await enrollment.hold(again)).request, 'r1');
    assert.deepEqual((await admin.request('r1'))?.evidence, seen);
  });

  const others: readonly [string, Parameters<typeof holdRecord>[2]][] = [
    ['names', { names: digest('other names') }],
    ['versions', { seen: saying({ versions: { firmware: '0.1' } }) }],
    ['attestation key', { seen: saying({ attestingKey: digest('other key') }) }],
    ['format of evidence', { seen: saying({ format: 'endorsement' }) }],
    ['evidence, which is none any more,', { seen: null }],
    [
      'objections',
      {
        objections: ['enrollment-again', 'first-enrollment'].map((control) => ({
          control,
          title: control,
          detail: control,
          liftable: true,
        })),
      },
    ],
  ];
  for (const [what, changes] of others) {
    test(`with other ${what} is another request, and the earlier one can no longer be approved`, async (t) => {
      const { enrollment, admin } = await prepared(t);
      await enrollment.hold(holdRecord('r1', 'd1', { seen }));
      const { request } = await enrollment.hold(holdRecord('r2', 'd1', { seen, now: now + 5, ...changes }));
      assert.equal(request, 'r2');
      const earlier = await admin.request('r1');
      assert.deepEqual(
        [earlier?.state, earlier?.decidedBy, earlier?.decidedAt],
        ['denied', 'authority', now + 5],
      );
      const bound = { spki: digest('key'), names: digest('names'), evidence: seen };
      const approval = newApproval('a1', 'd1', bound);
      await assert.rejects(
        admin.approveRequest({ id: 'r1', approval, ofEvidence: [], now, entry: entry('approve') }),
        (error) => isSallyportError(error, 'conflict'),
      );
      // Nobody denied it: it may come again.
      assert.deepEqual((await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }))).denials, []);
    });
  }

  test("spends from the device's limit when it is opened, not when it is asked again", async (t) => {
    const { enrollment, admin } = await prepared(t);
    const limit = { burst: 2, count: 1, periodSeconds: 3600 };
    const hold = (id: string, key: string) =>
      enrollment.hold(
        holdRecord(id, 'd1', { spki: digest(key), limits: { device: limit, challenge: null } }),
      );
    for (const id of ['r1', 'r1 again', 'r1 once more']) await hold(id, 'first');
    await hold('r2', 'second');
    await assert.rejects(hold('r3', 'third'), (error) => isSallyportError(error, 'conflict'));
    assert.equal(await admin.request('r3'), null);
    assert.equal((await hold('r2 again', 'second')).request, 'r2');
  });

  test('for another device, template or key is another request', async (t) => {
    const { enrollment, admin } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1'));
    await enrollment.hold(holdRecord('r2', 'd2'));
    await enrollment.hold(holdRecord('r3', 'd1', { template: 'other' }));
    await enrollment.hold(holdRecord('r4', 'd1', { spki: digest('other key') }));
    assert.deepEqual(
      (await admin.requests({ limit: 9 })).map(({ id }) => id),
      ['r1', 'r2', 'r3', 'r4'],
    );
  });

  test('after a decision is a new request', async (t) => {
    const { enrollment, admin } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1'));
    await admin.denyRequest({ id: 'r1', by: 'ada', now, entry: entry('deny') });
    assert.equal((await enrollment.hold(holdRecord('r2', 'd1'))).request, 'r2');
  });

  const conflicts: readonly [
    string,
    (stores: Stores) => Promise<unknown>,
    Parameters<typeof holdRecord>[2]?,
  ][] = [
    [
      'reserved for another key',
      ({ enrollment }) =>
        enrollment.hold(holdRecord('r0', 'd1', { secretId: 's1', spki: digest('other key') })),
    ],
    [
      'reserved for other names',
      ({ enrollment }) => enrollment.hold(holdRecord('r0', 'd1', { secretId: 's1', names: digest('other') })),
    ],
    ['void', ({ admin }) => admin.voidSecret({ id: 's1', now, entry: entry('void') })],
    [
      'spent',
      ({ enrollment }) => issue(enrollment, intent('i1', 'd1', { secret: { id: 's1', state: 'live' } })),
    ],
    ["another device's", async () => undefined, { deviceId: 'd2' }],
    ["another template's", async () => undefined, { template: 'other' }],
    ['unknown', async () => undefined, { secretId: 's9' }],
  ];
  for (const [what, arrange, changes] of conflicts) {
    test(`conflicts when the secret is ${what}, and changes nothing`, async (t) => {
      const stores = await prepared(t);
      await arrange(stores);
      const before = [
        await verifiedIds(stores.log),
        await secretState(stores, 's1'),
        await stores.admin.requests({ limit: 9 }),
      ];
      await assert.rejects(
        stores.enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1', ...changes })),
        (error) => isSallyportError(error, 'conflict'),
      );
      const after = [
        await verifiedIds(stores.log),
        await secretState(stores, 's1'),
        await stores.admin.requests({ limit: 9 }),
      ];
      assert.deepEqual(after, before);
    });
  }
});
