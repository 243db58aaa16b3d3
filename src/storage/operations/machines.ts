import { sql } from 'kysely';
import type {
  CertificateHolder,
  Machine,
  MachineStore,
  NewMachine,
  StoredMachine,
  TokenHolder,
} from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run, together } from '../operation.ts';
import type { MachineRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { voidLiveExternalAccountKeysOf } from './external-accounts.ts';
import { append } from './log.ts';

type Act<Name extends keyof MachineStore> = Parameters<MachineStore[Name]>[0];

const insertMachine = statement((database, p: Omit<MachineRow, 'revoked_at'>) =>
  database.insertInto('machine').values({
    name: p.name,
    scopes: p.scopes,
    templates: p.templates,
    sources: p.sources,
    created_at: p.created_at,
    created_by: p.created_by,
  }),
);

/** The range of names says what the index says, literally, or the index is not used. */
const voidSecretsOf = statement((database, p: { by: string }) =>
  database
    .updateTable('secret')
    .set({ state: 'void' })
    .where('created_by', '=', p.by)
    .where('created_by', '>=', sql.lit('machine:'))
    .where('created_by', '<', sql.lit('machine;'))
    .where('state', 'in', ['live', 'reserved']),
);

const insertToken = statement(
  (database, p: { hash: Uint8Array; machine: string; now: number; expiresAt: number }) =>
    database
      .insertInto('machine_token')
      .values({ hash: p.hash, machine: p.machine, created_at: p.now, expires_at: p.expiresAt }),
);

const insertCertificate = statement((database, p: { sha256: string; machine: string; now: number }) =>
  database
    .insertInto('machine_certificate')
    .values({ sha256: p.sha256, machine: p.machine, pinned_at: p.now }),
);

const selectMachine = statement((database, p: { name: string }) =>
  database.selectFrom('machine').selectAll().where('name', '=', p.name),
);

const selectPage = statement((database, p: { after: string; limit: number }) =>
  database.selectFrom('machine').selectAll().where('name', '>', p.after).orderBy('name').limit(p.limit),
);

const selectTokens = statement((database, p: { machine: string; now: number }) =>
  database
    .selectFrom('machine_token')
    .select(['created_at', 'expires_at'])
    .where('machine', '=', p.machine)
    .where('expires_at', '>', p.now)
    .orderBy('created_at')
    .orderBy('hash'),
);

const selectPinned = statement((database, p: { machine: string }) =>
  database
    .selectFrom('machine_certificate')
    .select('sha256')
    .where('machine', '=', p.machine)
    .where('unpinned_at', 'is', null)
    .orderBy('pinned_at')
    .orderBy('sha256'),
);

const selectByToken = statement((database, p: { hash: Uint8Array }) =>
  database
    .selectFrom('machine_token')
    .innerJoin('machine', 'machine.name', 'machine_token.machine')
    .selectAll('machine')
    .select('machine_token.expires_at')
    .where('machine_token.hash', '=', p.hash),
);

const selectByCertificate = statement((database, p: { sha256: string }) =>
  database
    .selectFrom('machine_certificate')
    .innerJoin('machine', 'machine.name', 'machine_certificate.machine')
    .selectAll('machine')
    .select('machine_certificate.unpinned_at')
    .where('machine_certificate.sha256', '=', p.sha256),
);

const endTokens = statement((database, p: { machine: string; until: number }) =>
  database
    .updateTable('machine_token')
    .set({ expires_at: p.until })
    .where('machine', '=', p.machine)
    .where('expires_at', '>', p.until),
);

const unpin = statement((database, p: { machine: string; now: number }) =>
  database
    .updateTable('machine_certificate')
    .set({ unpinned_at: p.now })
    .where('machine', '=', p.machine)
    .where('unpinned_at', 'is', null),
);

const markRevoked = statement((database, p: { name: string; now: number }) =>
  database.updateTable('machine').set({ revoked_at: p.now }).where('name', '=', p.name),
);

const endAllTokens = statement((database, p: { now: number }) =>
  database.updateTable('machine_token').set({ expires_at: p.now }).where('expires_at', '>', p.now),
);

const unpinAll = statement((database, p: { now: number }) =>
  database.updateTable('machine_certificate').set({ unpinned_at: p.now }).where('unpinned_at', 'is', null),
);

export function* createMachine({ machine, token, entry }: Act<'createMachine'>): Operation<LogPosition> {
  const { name, createdAt } = machine;
  if ((yield* first(selectMachine, { name })) !== undefined) {
    throw new SallyportError('conflict', `a machine is or was named ${name} already`);
  }
  yield* run(insertMachine, rowOf(machine));
  yield* run(insertToken, { hash: token.hash, machine: name, now: createdAt, expiresAt: token.expiresAt });
  return { index: yield* append(entry) };
}

export function* machines(filter: Act<'machines'>): Operation<readonly StoredMachine[]> {
  const { after = '', now, limit } = filter;
  const rows = yield* all(selectPage, { after, limit });
  const found: StoredMachine[] = [];
  for (const row of rows) {
    const [tokens, pinned] = yield* together(
      all(selectTokens, { machine: row.name, now }),
      all(selectPinned, { machine: row.name }),
    );
    found.push({
      ...machineOf(row),
      createdAt: row.created_at,
      by: row.created_by,
      revokedAt: row.revoked_at,
      tokens: tokens.map(({ created_at, expires_at }) => ({ createdAt: created_at, expiresAt: expires_at })),
      certificates: pinned.map(({ sha256 }) => sha256),
    });
  }
  return found;
}

export function* rotateMachine(act: Act<'rotateMachine'>): Operation<LogPosition> {
  const { name, token, othersUntil, now, entry } = act;
  yield* assertNotRevoked(name);
  yield* run(endTokens, { machine: name, until: othersUntil });
  yield* run(insertToken, { hash: token.hash, machine: name, now, expiresAt: token.expiresAt });
  return { index: yield* append(entry) };
}

export function* pinCertificate(act: Act<'pinCertificate'>): Operation<LogPosition> {
  const { name, sha256, instead, now, entry } = act;
  yield* assertNotRevoked(name);
  const holder = yield* first(selectByCertificate, { sha256 });
  if (holder !== undefined) {
    const was = holder.unpinned_at === null && holder.revoked_at === null ? 'is' : 'was';
    throw new SallyportError('conflict', `this certificate ${was} pinned for machine ${holder.name} already`);
  }
  if (instead) yield* run(unpin, { machine: name, now });
  yield* run(insertCertificate, { sha256, machine: name, now });
  return { index: yield* append(entry) };
}

export function* revokeMachine({
  name,
  now,
  entry,
}: Act<'revokeMachine'>): Operation<
  LogPosition & { readonly secrets: number; readonly externalAccountKeys: number }
> {
  yield* assertNotRevoked(name);
  yield* run(markRevoked, { name, now });
  yield* run(endTokens, { machine: name, until: now });
  yield* run(unpin, { machine: name, now });
  const by = `machine:${name}`;
  const secrets = yield* run(voidSecretsOf, { by });
  const externalAccountKeys = yield* voidLiveExternalAccountKeysOf(by);
  return { index: yield* append(entry), secrets, externalAccountKeys };
}

export function* recogniseMachine({ tokenHash, certificate }: Act<'recogniseMachine'>): Operation<{
  byToken: TokenHolder | null;
  byCertificate: CertificateHolder | null;
}> {
  const [token, pinned] = yield* together(
    tokenHash && first(selectByToken, { hash: tokenHash }),
    certificate === null ? null : first(selectByCertificate, { sha256: certificate }),
  );
  return {
    byToken: token
      ? { machine: machineOf(token), revoked: token.revoked_at !== null, expiresAt: token.expires_at }
      : null,
    byCertificate: pinned
      ? { machine: machineOf(pinned), revoked: pinned.revoked_at !== null, unpinnedAt: pinned.unpinned_at }
      : null,
  };
}

/** Of every machine: what was rotated, unpinned or revoked after a backup is good again in it. Returns how many credentials there were. */
export function* endMachineCredentials(now: number): Operation<number> {
  return (yield* run(endAllTokens, { now })) + (yield* run(unpinAll, { now }));
}

function* assertNotRevoked(name: string): Operation<void> {
  const row = yield* first(selectMachine, { name });
  if (row === undefined) throw new SallyportError('not-found', `no machine is named ${name}`);
  if (row.revoked_at !== null) throw new SallyportError('conflict', `machine ${name} is revoked, for ever`);
}

function rowOf({ name, scopes, templates, sources, createdAt, by }: NewMachine) {
  return {
    name,
    scopes: toJson(scopes),
    templates: toJson(templates),
    sources: sources === null ? null : toJson(sources),
    created_at: createdAt,
    created_by: by,
  };
}

function machineOf(row: Pick<MachineRow, 'name' | 'scopes' | 'templates' | 'sources'>): Machine {
  return {
    name: row.name,
    scopes: fromJson(row.scopes),
    templates: fromJson(row.templates),
    sources: row.sources === null ? null : fromJson(row.sources),
  };
}
