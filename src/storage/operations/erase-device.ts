import type { AdminStore } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import type { Objection } from '#policy';
import { fromJson, type JsonText, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import { placeOf } from '../place.ts';
import type { RequestRow } from '../schema.ts';
import { forgetRatesOf } from './rate-limits.ts';
import { statement } from '../statement.ts';
import { forgetActivationsOf } from './activations.ts';
import { renameInAttestationKeys } from './attestation-keys.ts';
import { selectBlobs } from './blobs.ts';
import { unknownDevice } from './devices.ts';
import { forgetVersionsOf } from './evidence-versions.ts';
import { forgetContestsOf } from './lineage.ts';
import { append, readHead } from './log.ts';
import { forgetPolledOf } from './polled-requests.ts';

type Erasing = Parameters<AdminStore['eraseDevice']>[0];

interface Renaming {
  readonly id: string;
  readonly as: string;
}

const selectDevice = statement((database, p: { id: string }) =>
  database.selectFrom('device').select(['device_class', 'state', 'created_at']).where('id', '=', p.id),
);

const selectIntent = statement((database, p: { id: string }) =>
  database.selectFrom('intent').select('id').where('device_id', '=', p.id).limit(1),
);

const insertNameless = statement(
  (
    database,
    p: { as: string; deviceClass: string; createdAt: number; now: number; identifiers: JsonText<{}> },
  ) =>
    database.insertInto('device').values({
      id: p.as,
      serial_number: null,
      device_class: p.deviceClass,
      owner: null,
      state: 'retired',
      identifiers: p.identifiers,
      ek_sha256: null,
      ek_disputed: null,
      created_at: p.createdAt,
      updated_at: p.now,
    }),
);

const renameSecrets = statement((database, p: Renaming) =>
  database
    .updateTable('secret')
    .set({ device_id: p.as, expected: null, names: null })
    .where('device_id', '=', p.id),
);

const renameApprovals = statement((database, p: Renaming) =>
  database.updateTable('approval').set({ device_id: p.as, names: null }).where('device_id', '=', p.id),
);

const selectRequests = statement((database, p: { id: string }) =>
  database.selectFrom('request').select(['id', 'objections', 'summary']).where('device_id', '=', p.id),
);

const renameRequest = statement(
  (database, p: Renaming & Pick<RequestRow, 'objections' | 'summary'> & { readonly none: string }) =>
    database
      .updateTable('request')
      .set({ device_id: p.as, names: p.none, objections: p.objections, summary: p.summary })
      .where('id', '=', p.id),
);

const renameAbandoned = statement((database, p: Renaming) =>
  database.updateTable('abandoned_intent').set({ device_id: p.as }).where('device_id', '=', p.id),
);

const renameLost = statement((database, p: Renaming) =>
  database.updateTable('lost_certificate').set({ device_id: p.as }).where('device_id', '=', p.id),
);

const emptyCertificates = statement(
  (database, p: { id: string; from: number; to: number; none: string; nothing: Uint8Array }) =>
    database
      .updateTable('certificate')
      .set({ der: p.nothing, names: p.none })
      .where('device_id', '=', p.id)
      .where('log_idx', '>=', p.from)
      .where('log_idx', '<=', p.to),
);

const renameCertificates = statement((database, p: Renaming) =>
  database.updateTable('certificate').set({ device_id: p.as }).where('device_id', '=', p.id),
);

const renameEvidence = statement((database, p: Renaming) =>
  database.updateTable('evidence').set({ device_id: p.as, examination: null }).where('device_id', '=', p.id),
);

const deleteDevice = statement((database, p: { id: string }) =>
  database.deleteFrom('device').where('id', '=', p.id),
);

const deleteBlobs = statement((database, p: { from: number; to: number }) =>
  database.deleteFrom('blob').where('log_idx', '>=', p.from).where('log_idx', '<=', p.to),
);

/** Blobs read at once: some are as large as a request may be. */
const blobsAtOnce = 64;

/** All of it, or nothing: what is checked is checked before the first change. */
export function* eraseDevice(act: Erasing): Operation<LogPosition & { readonly certificates: number }> {
  const { id, as, now } = act;
  const device = yield* first(selectDevice, { id });
  if (device === undefined) throw unknownDevice(id);
  if (device.state !== 'retired') throw new SallyportError('conflict', `device ${id} is ${device.state} now`);
  if ((yield* first(selectIntent, { id })) !== undefined) {
    throw new SallyportError(
      'conflict',
      `a certificate for device ${id} is being signed; ask again in a minute`,
    );
  }
  yield* assertNothingNew(act);

  yield* run(insertNameless, {
    as,
    deviceClass: device.device_class,
    createdAt: device.created_at,
    now,
    identifiers: toJson({}),
  });
  const certificates = yield* eraseEntries(act);
  const renames = [
    renameSecrets,
    renameApprovals,
    renameAbandoned,
    renameLost,
    renameCertificates,
    renameEvidence,
  ];
  for (const rename of renames) {
    yield* run(rename, { id, as });
  }
  yield* forgetPolledOf(id);
  yield* forgetActivationsOf(id);
  yield* forgetVersionsOf(id);
  yield* forgetContestsOf(id);
  yield* renameInAttestationKeys({ id, as });
  yield* eraseRequests({ id, as });
  yield* forgetRatesOf(id);
  yield* run(deleteDevice, { id });
  let index: number | null = null;
  for (const entry of act.acts) {
    const appended = yield* append(entry);
    index ??= appended;
  }
  if (index === null) throw new SallyportError('internal', 'an erasure has an act that tells of it');
  return { index, certificates };
}

/** An entry that names the device may have come since the log was looked through. */
function* assertNothingNew({ id, lookedThrough }: Erasing): Operation<void> {
  const { number, size } = yield* readHead();
  const name = JSON.stringify(id);
  for (let from = lookedThrough; from < size; from += blobsAtOnce) {
    const to = Math.min(from + blobsAtOnce, size);
    const blobs = yield* all(selectBlobs, { from: placeOf(number, from), to: placeOf(number, to) });
    if (blobs.some(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(name))) {
      throw new SallyportError('conflict', `the log has a new entry of device ${id}`);
    }
  }
}

function* eraseEntries({ id, entries, blobs: expected }: Erasing): Operation<number> {
  let certificates = 0;
  let blobs = 0;
  for (const { log, indexes } of entries) {
    for (const [from, to] of indexes) {
      const places = { from: placeOf(log, from), to: placeOf(log, to) };
      blobs += yield* run(deleteBlobs, places);
      const emptied = { id, ...places, none: '', nothing: new Uint8Array() };
      certificates += yield* run(emptyCertificates, emptied);
    }
  }
  if (blobs !== expected) {
    throw new SallyportError('conflict', `what is kept beside the entries of device ${id} has changed`);
  }
  return certificates;
}

/** Who decided and when stays, and which controls objected. */
function* eraseRequests({ id: device, as }: Renaming): Operation<void> {
  for (const { id, objections, summary } of yield* all(selectRequests, { id: device })) {
    const nameless = fromJson(objections).map((each): Objection => ({ ...each, detail: '' }));
    yield* run(renameRequest, {
      id,
      as,
      none: '',
      objections: toJson(nameless),
      summary: toJson({ ...fromJson(summary), address: '', subject: '', subjectAltName: [] }),
    });
  }
}
