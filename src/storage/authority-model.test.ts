import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { actOf, draft } from './authority-acts.fixture.ts';
import { type Act, AuthorityModel } from './authority-model.fixture.ts';
import { all, type Operation } from './operation.ts';
import { statement } from './statement.ts';
import {
  certificateOf,
  device,
  entry,
  holdRecord,
  importDevices,
  intent,
  issuedRecord,
  newApproval,
  newSecret,
  now,
  openStores,
  sequences,
  type Stores,
  verifiedIds,
} from './storage.fixture.ts';

const selectDevices = statement((database) => database.selectFrom('device').selectAll());
const selectSecrets = statement((database) => database.selectFrom('secret').selectAll());
const selectApprovals = statement((database) => database.selectFrom('approval').selectAll());
const selectRequests = statement((database) => database.selectFrom('request').selectAll());
const selectIntents = statement((database) => database.selectFrom('intent').selectAll());
const selectCertificates = statement((database) => database.selectFrom('certificate').selectAll());

suite('any sequence of acts', () => {
  test('does to the store what it does to the model, and leaves a log that verifies', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 20, maxLength: 60 }), async (drafts) => {
        const stores = openStores(t);
        const model = new AuthorityModel();
        await importDevices(stores.admin, device('d1'), device('d2'));
        let logged = 1;
        for (const [at, each] of drafts.entries()) {
          const next = actOf(model, each);
          if (next === null) continue;
          const expected = model.perform(next);
          assert.equal(
            await outcome(perform(stores, model, next, `act ${at}`)),
            expected,
            JSON.stringify(next),
          );
          if (expected === 'done' && next.kind !== 'reserve') logged += 1;
          assert.deepEqual(await describe(stores), model.describe(), JSON.stringify(next));
        }
        assert.equal((await verifiedIds(stores.log)).length, logged);
      }),
      { numRuns: sequences() },
    );
  });
});

function perform(
  { admin, enrollment }: Stores,
  model: AuthorityModel,
  next: Act,
  entryId: string,
): Promise<unknown> {
  const common = { now, entry: entry(entryId) };
  switch (next.kind) {
    case 'create secret':
      return admin.createSecret({ secret: newSecret(next.id, next.deviceId), entry: common.entry });
    case 'void secret':
      return admin.voidSecret({ id: next.id, ...common });
    case 'approve device':
      return admin.approveDevice({
        approval: newApproval(next.id, next.deviceId, { spki: next.spki }),
        ...common,
      });
    case 'hold':
      return enrollment.hold(holdRecord(next.id, next.deviceId, { ...next, ...common }));
    case 'approve request': {
      const request = model.requests.get(next.id);
      const approval = newApproval(next.approvalId, request?.deviceId ?? 'd1', {
        spki: request?.spki ?? null,
        names: request?.names ?? null,
      });
      return admin.approveRequest({ id: next.id, approval, ofEvidence: [], ...common });
    }
    case 'deny request':
      return admin.denyRequest({ id: next.id, by: 'ada', ...common });
    case 'end request':
      return admin.endRequest({ id: next.id, ...common });
    case 'reserve':
      return enrollment.reserve(intentOf(next));
    case 'close':
      return enrollment.close(issuedRecord(intentOf(model.reserved.get(next.id)), common));
    case 'revoke': {
      const { sha256 } = certificateOf(intent(next.id, 'd1'));
      return admin.revokeCertificate({ sha256, reason: next.compromised ? 1 : 4, ...common });
    }
    case 'abandon':
      return admin.abandonIntent({ id: next.id, ...common });
    case 'retire':
      return admin.setDeviceState({ id: next.deviceId, state: 'retired', ...common });
  }
}

function intentOf(act: Extract<Act, { kind: 'reserve' }> | undefined) {
  if (act === undefined) return intent('unknown', 'd1');
  const { kind: _, id, deviceId, ...changes } = act;
  return intent(id, deviceId, changes);
}

async function outcome(performed: Promise<unknown>): Promise<string> {
  try {
    return (await performed) === 'conflict' ? 'conflict' : 'done';
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
}

async function describe({ query }: Stores): Promise<string[]> {
  return (await query(describeStore())).toSorted();
}

function* describeStore(): Operation<string[]> {
  const devices = yield* all(selectDevices, {});
  const secrets = yield* all(selectSecrets, {});
  const approvals = yield* all(selectApprovals, {});
  const requests = yield* all(selectRequests, {});
  const intents = yield* all(selectIntents, {});
  const certificates = yield* all(selectCertificates, {});
  return [
    ...devices.map(({ id, state }) => `${id} ${state}`),
    ...secrets.map(
      ({ id, state, spki, names }) => `${id} ${state} for ${spki ? `${spki} ${names}` : 'nobody'}`,
    ),
    ...approvals.map(({ id, state, intent_id }) => `${id} ${state} by ${intent_id ?? 'nobody'}`),
    ...requests.map(
      ({ id, state, device_id, spki, names }) => `${id} ${state} ${device_id} ${spki} ${names}`,
    ),
    ...intents.map(({ id, spki, request_spki, names }) => `${id} open ${spki} ${request_spki} ${names}`),
    ...certificates.map(
      ({ der, revoked_at, device_id, spki, names }) =>
        `${intentIdOf(der)} ${revoked_at === null ? 'current' : 'revoked'} ${device_id} ${spki} ${names}`,
    ),
  ];
}

/** What `certificateOf` wrote into the certificate's bytes. */
function intentIdOf(der: Uint8Array): string {
  return Buffer.from(der).toString().replace('DER of ', '');
}
