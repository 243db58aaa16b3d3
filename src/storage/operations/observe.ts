import { sql } from 'kysely';
import type { DeviceKey, EnrollmentStore, ObserveQuery, StoreObservation } from '#enrollment';
import { fromJson } from '../json-text.ts';
import { all, first, type Operation, together } from '../operation.ts';
import type { ApprovalRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { observeOrder } from './acme-issuance.ts';
import { observeAttestingKey } from './attestation-keys.ts';
import { observeAttester } from './attesters.ts';
import { hasCurrentForOtherKey, newestIssued } from './current-certificates.ts';
import { evidenceNonce, holderOf, observeEvidence } from './evidence.ts';
import { observeVersions } from './evidence-versions.ts';
import { isKeyShared } from './key-holders.ts';
import { observeLineage } from './lineage.ts';
import { observePresenter, observeSecret } from './presented.ts';
import { observePresentedRate, observeRates } from './rate-limits.ts';
import { byAuthority } from './requests.ts';

const deviceColumns = ['id', 'serial_number', 'device_class', 'state', 'identifiers'] as const;

const selectDeviceBy = {
  id: statement((database, p: { value: string }) =>
    database.selectFrom('device').select(deviceColumns).where('id', '=', p.value),
  ),
  /** Literally as the index says it, or the index is not used. */
  serialNumber: statement((database, p: { value: string }) =>
    database
      .selectFrom('device')
      .select(deviceColumns)
      .where('serial_number', '=', p.value)
      .where('serial_number', '<>', sql.lit('')),
  ),
} as const satisfies Readonly<Record<DeviceKey['column'], unknown>>;

const selectDeviceId = statement((database, p: { id: string }) =>
  database.selectFrom('device').select('id').where('id', '=', p.id),
);

const selectApprovals = statement(
  (database, p: { deviceId: string; template: string; spki: string; now: number }) =>
    database
      .selectFrom('approval')
      .select(['id', 'spki', 'names', 'lifts', 'evidence', 'expires_at', 'created_by', 'created_at'])
      .where('device_id', '=', p.deviceId)
      .where('template', '=', p.template)
      .where('state', '=', 'open')
      .where('expires_at', '>', p.now)
      .where((eb) => eb.or([eb('spki', '=', p.spki), eb('spki', 'is', null)])),
);

const selectDenials = statement((database, p: { deviceId: string; template: string; spki: string }) =>
  database
    .selectFrom('request')
    .select(['names', 'decided_at'])
    .where('spki', '=', p.spki)
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('state', '=', 'denied')
    .where('decided_by', '<>', byAuthority)
    .orderBy('decided_at', 'desc')
    .limit(10),
);

type Precedence = Pick<ApprovalRow, 'id' | 'spki' | 'created_at'>;

export function* observe(query: ObserveQuery): Operation<StoreObservation> {
  const [secret, presenter, ordered] = yield* together(
    observeSecret(query),
    observePresenter(query),
    observeOrder(query),
  );
  const deviceKey = query.order === null ? keyOfDevice(query, secret, presenter) : ownerOf(ordered);
  const device = deviceKey === null ? null : yield* observeDevice(deviceKey);
  const deviceId = device?.id ?? '';
  const { spki, template, staticChallenge, now } = query;
  const asked = device === null ? null : { deviceId, template, spki, now };
  // Whoever orders names has a key for each set of them, and what an order was issued is its own.
  const ofKey = query.order === null ? asked : null;
  const isOfNames =
    ordered !== null && ordered.order.identifiers.some(({ type }) => type === 'dns' || type === 'ip');
  const predecessor = presenter === null ? null : query.presenterSha256;
  const holder = holderOf(secret, query.presenterSha256);
  const [userNameDevice, keyShared, approval, denials, otherKeyCurrent, issued, lineage, rates, ofEvidence] =
    yield* together(
      deviceNamed(query.userName, deviceId),
      isKeyShared({ spki, deviceId }),
      asked && observeApproval(asked),
      asked && observeDenials(asked),
      isOfNames ? null : asked && hasCurrentForOtherKey(asked),
      ofKey && newestIssued({ ...ofKey, predecessor }),
      // An order renews what we choose, the newest: nobody presents that.
      query.order !== null || predecessor === null || asked === null
        ? null
        : observeLineage({ ...asked, presented: predecessor }),
      observeRates({ deviceId: device?.id ?? null, template, staticChallenge }),
      query.evidence === null
        ? null
        : together(
            holder === null ? null : evidenceNonce(holder, now),
            observeEvidence(query.evidence, asked),
            query.attester === null ? null : observeAttester(query.attester),
            device === null || query.evidenceFormat === null
              ? null
              : observeVersions({ deviceId, format: query.evidenceFormat }),
            device === null || query.attestingKey === null
              ? null
              : observeAttestingKey({ spki: query.attestingKey, deviceId }),
          ),
    );
  const isContested = lineage !== null && (lineage.others.length > 0 || lineage.contested !== null);
  const presented = isContested ? yield* observePresentedRate(predecessor!) : null;
  const [nonce, used, attester, versions, attestingKey] = ofEvidence ?? [null, null, null, null, null];
  return {
    secret,
    userNameDevice,
    presenter,
    order: ordered?.order ?? null,
    device,
    keyShared,
    approval,
    denials: denials ?? [],
    otherKeyCurrent: otherKeyCurrent ?? false,
    issued,
    lineage,
    rates: { ...rates, presented },
    nonce,
    earlierEvidence: used?.earlier ?? null,
    verifiedEvidence: used?.verified ?? null,
    attester,
    versions,
    attestingKey,
  };
}

/** An account may be nobody's. */
function ownerOf(ordered: { readonly deviceId: string | null } | null): DeviceKey | null {
  const id = ordered?.deviceId ?? null;
  return id === null ? null : { column: 'id', value: id };
}

/** An identity from elsewhere, or the request itself, names the device only where neither a secret that is for a device nor a certificate of ours was presented. */
function keyOfDevice(
  { secretMacs, identity }: ObserveQuery,
  secret: StoreObservation['secret'],
  presenter: StoreObservation['presenter'],
): DeviceKey | null {
  if (secretMacs.length === 0 && presenter === null) return identity;
  const holder = secretMacs.length > 0 ? secret : presenter;
  if (holder === null) return null;
  return holder.deviceId === null ? identity : { column: 'id', value: holder.deviceId };
}

function* observeDevice({ column, value }: DeviceKey): Operation<StoreObservation['device']> {
  const row = yield* first(selectDeviceBy[column], { value });
  if (row === undefined) return null;
  return {
    id: row.id,
    serialNumber: row.serial_number,
    deviceClass: row.device_class,
    state: row.state,
    identifiers: fromJson(row.identifiers),
  };
}

/** Each once, whichever of its keys was asked for. */
export function* devicesBy({
  keys,
}: {
  keys: readonly DeviceKey[];
}): Operation<Awaited<ReturnType<EnrollmentStore['devicesBy']>>> {
  const found = yield* together(...keys.map((key) => observeDevice(key)));
  return [...new Map(found.flatMap((device) => (device === null ? [] : [[device.id, device]]))).values()].map(
    ({ id, deviceClass, state }) => ({ id, deviceClass, state }),
  );
}

/** Mostly the user name is the id of the device itself, which was read already. */
function* deviceNamed(userName: string | null, deviceId: string): Operation<string | null> {
  if (userName === null || userName === '') return null;
  if (userName === deviceId) return deviceId;
  return (yield* first(selectDeviceId, { id: userName }))?.id ?? null;
}

function* observeApproval(query: {
  deviceId: string;
  template: string;
  spki: string;
  now: number;
}): Operation<StoreObservation['approval']> {
  const [row] = (yield* all(selectApprovals, query)).toSorted(byPrecedence);
  if (row === undefined) return null;
  return {
    id: row.id,
    spki: row.spki,
    names: row.names,
    lifts: fromJson(row.lifts),
    evidence: row.evidence && fromJson(row.evidence),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    by: row.created_by,
  };
}

function* observeDenials(query: {
  deviceId: string;
  template: string;
  spki: string;
}): Operation<StoreObservation['denials']> {
  const rows = yield* all(selectDenials, query);
  return rows.map(({ names, decided_at }) => ({ names, at: decided_at ?? 0 }));
}

/** One for this key before one for any, then the newest. Here and not in the query: sorting nothing is what costs there. */
function byPrecedence(left: Precedence, right: Precedence): number {
  const forKey = Number(left.spki === null) - Number(right.spki === null);
  return forKey || right.created_at - left.created_at || (left.id < right.id ? 1 : -1);
}
