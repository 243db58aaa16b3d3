import { type Kysely, sql } from 'kysely';
import type { AdminStore, NewSecret, SecretState, StoredSecret } from '#admin';
import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { Schema, SecretRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { assertNotRetired } from './devices.ts';
import { holderOf, keepNonce } from './evidence.ts';
import { append } from './log.ts';

interface Binding {
  readonly id: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
}

const reserveLive = statement((database, p: Binding) =>
  database
    .updateTable('secret')
    // One that is for no device yet is for this one from here on.
    .set({ state: 'reserved', device_id: p.deviceId, spki: p.spki, names: p.names })
    .where('id', '=', p.id)
    .where('state', '=', 'live')
    .where((eb) => eb.or([eb('device_id', '=', p.deviceId), eb('device_id', 'is', null)]))
    .where('template', '=', p.template),
);

const selectReserved = statement((database, p: Binding) =>
  database
    .selectFrom('secret')
    .select('id')
    .where('id', '=', p.id)
    .where('state', '=', 'reserved')
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('spki', '=', p.spki)
    .where('names', '=', p.names),
);

const spendReserved = statement((database, p: { id: string; certificate: string }) =>
  database
    .updateTable('secret')
    .set({ state: 'spent', certificate: p.certificate })
    .where('id', '=', p.id)
    .where('state', '=', 'reserved'),
);

const voidOne = statement((database, p: { id: string }) =>
  database
    .updateTable('secret')
    .set({ state: 'void' })
    .where('id', '=', p.id)
    .where('state', 'in', ['live', 'reserved']),
);

const voidOfDevice = statement((database, p: { deviceId: string }) =>
  database
    .updateTable('secret')
    .set({ state: 'void' })
    .where('device_id', '=', p.deviceId)
    .where('state', 'in', ['live', 'reserved']),
);

const voidOpen = statement((database) =>
  database.updateTable('secret').set({ state: 'void' }).where('state', 'in', ['live', 'reserved']),
);

const voidReservedFor = statement((database, p: { deviceId: string; template: string; spki: string }) =>
  database
    .updateTable('secret')
    .set({ state: 'void' })
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('spki', '=', p.spki)
    .where('state', '=', 'reserved'),
);

const insertSecret = statement((database, p: Omit<NewSecret, 'expected'> & Pick<SecretRow, 'expected'>) =>
  database.insertInto('secret').values({
    id: p.id,
    mac: p.mac,
    mac_key_id: p.macKeyId,
    device_id: p.deviceId,
    template: p.template,
    expected: p.expected,
    state: 'live',
    created_at: p.createdAt,
    expires_at: p.expiresAt,
    created_by: p.by,
  }),
);

const selectOne = statement((database, p: { id: string }) =>
  database.selectFrom('secret').select(['state', 'created_at']).where('id', '=', p.id),
);

interface Page {
  readonly state: SecretState | null;
  readonly afterTime: number;
  readonly afterId: string;
  readonly limit: number;
}

const selectPage = statement((database, p: Page) => page(database, p));

const selectPageOfDevice = statement((database, p: Page & { readonly deviceId: string }) =>
  page(database, p).where('device_id', '=', p.deviceId),
);

/** In the words of the index of them. */
const countUnbound = statement((database, p: { by: string; template: string; now: number }) =>
  database
    .selectFrom('secret')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('created_by', '=', p.by)
    .where('template', '=', p.template)
    .where('expires_at', '>', p.now)
    .where('device_id', 'is', null)
    .where('state', '=', sql.lit('live')),
);

const selectWhole = statement((database, p: { id: string }) => shown(database).where('id', '=', p.id));

/** The range of names says what the index says, literally, or the index is not used. */
const selectPageOfMachine = statement((database, p: Page & { readonly by: string }) =>
  ofMachine(database, p, p.by),
);

const selectPageOfMachineAndDevice = statement(
  (database, p: Page & { readonly by: string; readonly deviceId: string }) =>
    ofMachine(database, p, p.by).where('device_id', '=', p.deviceId),
);

function ofMachine(database: Kysely<Schema>, p: Page, by: string) {
  return page(database, p)
    .where('created_by', '=', by)
    .where('created_by', '>=', sql.lit('machine:'))
    .where('created_by', '<', sql.lit('machine;'));
}

function shown(database: Kysely<Schema>) {
  return database
    .selectFrom('secret')
    .select(['id', 'mac_key_id', 'device_id', 'template', 'expected', 'state'])
    .select(['created_at', 'expires_at', 'created_by']);
}

function page(database: Kysely<Schema>, p: Page) {
  return shown(database)
    .where((eb) => eb('state', '=', eb.fn.coalesce(eb.val(p.state), eb.ref('state'))))
    .where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '>', tuple(p.afterTime, p.afterId)))
    .orderBy('created_at')
    .orderBy('id')
    .limit(p.limit);
}

/**
 * Reserves a secret observed as live, or finds it still reserved for this same key and names. Throws 'conflict' where it is neither any
 * more.
 */
export function* reserveSecret(binding: Binding, observed: 'live' | 'reserved'): Operation<void> {
  const holds =
    observed === 'live'
      ? (yield* run(reserveLive, binding)) === 1
      : (yield* first(selectReserved, binding)) !== undefined;
  if (!holds) {
    throw new SallyportError('conflict', `secret ${binding.id} is no longer ${observed} for this request`);
  }
}

/** Live becomes reserved; reserved for this same key and names already stays so. Throws 'conflict' for any other. */
export function* reserveForHeld(binding: Binding): Operation<void> {
  if ((yield* run(reserveLive, binding)) === 1) return;
  yield* reserveSecret(binding, 'reserved');
}

export function* spendSecret(id: string, certificate: string): Operation<void> {
  const spent = yield* run(spendReserved, { id, certificate });
  if (spent !== 1) throw new SallyportError('conflict', `secret ${id} is no longer reserved`);
}

/** Of every device. Returns how many there were. */
export function* voidOpenSecrets(): Operation<number> {
  return yield* run(voidOpen, {});
}

export function* voidSecretsOfDevice(deviceId: string): Operation<void> {
  yield* run(voidOfDevice, { deviceId });
}

export function* voidSecretsReservedFor(request: {
  deviceId: string;
  template: string;
  spki: string;
}): Operation<void> {
  yield* run(voidReservedFor, request);
}

export function* createSecret(act: {
  secret: NewSecret;
  nonce?: Uint8Array | null;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { secret, nonce = null, entry } = act;
  if (secret.deviceId !== null) yield* assertNotRetired(secret.deviceId);
  const expected = secret.expected === null ? null : toJson(secret.expected);
  yield* run(insertSecret, { ...secret, expected });
  if (nonce !== null) yield* keepNonce(holderOf(secret, null)!, nonce, secret.expiresAt);
  return { index: yield* append(entry) };
}

export function* createUnboundSecret(act: {
  secret: NewSecret;
  maximumLive: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { secret, maximumLive, entry } = act;
  const { by, template, createdAt: now } = secret;
  const live = (yield* first(countUnbound, { by, template, now }))?.count ?? 0;
  if (live >= maximumLive) throw new SallyportError('conflict', `${live} secrets of ${by} are live already`);
  return yield* createSecret({ secret: { ...secret, deviceId: null }, entry });
}

export function* voidSecret(act: { id: string; now: number; entry: NewEntry }): Operation<LogPosition> {
  if ((yield* run(voidOne, { id: act.id })) !== 1) {
    const row = yield* first(selectOne, { id: act.id });
    if (row === undefined) throw new SallyportError('not-found', `no secret has the id ${act.id}`);
    throw new SallyportError('conflict', `secret ${act.id} is ${row.state} already`);
  }
  return { index: yield* append(act.entry) };
}

export function* secrets(filter: {
  deviceId?: string;
  state?: SecretState;
  after?: string;
  limit: number;
}): Operation<readonly StoredSecret[]> {
  const { deviceId } = filter;
  const from = yield* pageFrom(filter);
  const rows =
    deviceId === undefined
      ? yield* all(selectPage, from)
      : yield* all(selectPageOfDevice, { ...from, deviceId });
  return rows.map(storedSecret);
}

export function* secretsOfMachine(
  filter: Parameters<AdminStore['secretsOfMachine']>[0],
): Operation<readonly StoredSecret[]> {
  const { by, deviceId } = filter;
  const from = { ...(yield* pageFrom(filter)), by };
  const rows =
    deviceId === undefined
      ? yield* all(selectPageOfMachine, from)
      : yield* all(selectPageOfMachineAndDevice, { ...from, deviceId });
  return rows.map(storedSecret);
}

export function* secret({ id }: { id: string }): Operation<StoredSecret | null> {
  const row = yield* first(selectWhole, { id });
  return row === undefined ? null : storedSecret(row);
}

function* pageFrom(filter: { state?: SecretState; after?: string; limit: number }): Operation<Page> {
  const { state = null, after, limit } = filter;
  const last = after === undefined ? undefined : yield* first(selectOne, { id: after });
  return { state, afterTime: last?.created_at ?? -1, afterId: after ?? '', limit };
}

function storedSecret(row: Omit<SecretRow, 'mac' | 'spki' | 'names' | 'certificate'>): StoredSecret {
  return {
    id: row.id,
    macKeyId: row.mac_key_id,
    deviceId: row.device_id,
    template: row.template,
    expected: row.expected === null ? null : fromJson(row.expected),
    state: row.state,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    by: row.created_by,
  };
}
