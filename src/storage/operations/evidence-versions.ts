import type { EvidenceMemory } from '#enrollment';
import { SallyportError } from '#errors';
import type { EvidenceVersions } from '#evidence';
import { fromJson, toJson } from '../json-text.ts';
import { first, type Operation, run } from '../operation.ts';
import type { EvidenceVersionRow } from '../schema.ts';
import { statement } from '../statement.ts';

interface Asked {
  readonly deviceId: string;
  readonly format: string;
}

const select = statement((database, p: Asked) =>
  database
    .selectFrom('evidence_version')
    .select('versions')
    .where('device_id', '=', p.deviceId)
    .where('format', '=', p.format),
);

const upsert = statement((database, p: EvidenceVersionRow) =>
  database
    .insertInto('evidence_version')
    .values({
      device_id: p.device_id,
      format: p.format,
      versions: p.versions,
      certificate: p.certificate,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['device_id', 'format'])
        .doUpdateSet({ versions: p.versions, certificate: p.certificate }),
    ),
);

const deleteOf = statement((database, p: { deviceId: string }) =>
  database.deleteFrom('evidence_version').where('device_id', '=', p.deviceId),
);

export function* observeVersions(asked: Asked): Operation<EvidenceVersions | null> {
  const row = yield* first(select, asked);
  return row === undefined ? null : fromJson(row.versions);
}

/** In place of those before, which must be what was observed: else a request of higher versions came between, and this one was not held against it. */
export function* rememberVersions(
  deviceId: string,
  { format, versions, before }: EvidenceMemory,
  certificate: string,
): Operation<void> {
  const row = yield* first(select, { deviceId, format });
  const said = toJson(versions);
  if (row?.versions === said) return;
  if ((row?.versions ?? null) !== (before === null ? null : toJson(before))) {
    throw new SallyportError('conflict', `device ${deviceId} has attested other versions meanwhile`);
  }
  yield* run(upsert, { device_id: deviceId, format, versions: said, certificate });
}

export function* forgetVersionsOf(deviceId: string): Operation<void> {
  yield* run(deleteOf, { deviceId });
}
