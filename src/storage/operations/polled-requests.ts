import type { EnrollmentStore, HoldRecord, PolledRequest } from '#enrollment';
import { first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

type Query = Parameters<EnrollmentStore['polled']>[0];

interface NewPolled extends Query {
  readonly deviceId: string;
  readonly place: number;
  readonly address: Uint8Array;
  readonly secretId: string | null;
  readonly challenge: PolledRequest['challenge'];
  readonly now: number;
}

const upsert = statement((database, p: NewPolled) =>
  database
    .insertInto('polled_request')
    .values({
      signer: p.signer,
      transaction_digest: p.transaction,
      template: p.template,
      device_id: p.deviceId,
      log_idx: p.place,
      address: p.address,
      secret_id: p.secretId,
      challenge: p.challenge,
      seen_at: p.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['signer', 'transaction_digest', 'template']).doUpdateSet({
        device_id: p.deviceId,
        log_idx: p.place,
        address: p.address,
        secret_id: p.secretId,
        challenge: p.challenge,
        seen_at: p.now,
      }),
    ),
);

const select = statement((database, p: Query) =>
  database
    .selectFrom('polled_request')
    .innerJoin('blob', (join) =>
      join
        .onRef('blob.log_idx', '=', 'polled_request.log_idx')
        .onRef('blob.address', '=', 'polled_request.address'),
    )
    .leftJoin('secret', 'secret.id', 'polled_request.secret_id')
    .select(['blob.bytes', 'polled_request.secret_id', 'polled_request.challenge', 'secret.mac'])
    .where('signer', '=', p.signer)
    .where('transaction_digest', '=', p.transaction)
    .where('polled_request.template', '=', p.template),
);

const forgetOf = statement((database, p: { deviceId: string }) =>
  database.deleteFrom('polled_request').where('device_id', '=', p.deviceId),
);

const forgetBefore = statement((database, p: { before: number }) =>
  database.deleteFrom('polled_request').where('seen_at', '<=', p.before),
);

/** `place`: of the entry that was appended for it. */
export function* keepPolled(record: HoldRecord, place: number): Operation<void> {
  const { polled, template, deviceId, now } = record;
  if (polled === null) return;
  yield* run(upsert, { ...polled, template, deviceId, place, now });
}

export function* polled(query: Query): Operation<PolledRequest | null> {
  const row = yield* first(select, query);
  if (row === undefined) return null;
  // A secret that is no more is none that could be left out.
  if (row.secret_id !== null && row.mac === null) return null;
  return { certificationRequest: row.bytes, secretMac: row.mac, challenge: row.challenge };
}

export function* forgetPolledOf(deviceId: string): Operation<void> {
  yield* run(forgetOf, { deviceId });
}

export function* forgetPolled(act: { before: number }): Operation<void> {
  yield* run(forgetBefore, act);
}
