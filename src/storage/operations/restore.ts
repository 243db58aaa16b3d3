import type { NewEntry } from '#audit';
import type { DeviceState } from '#inventory';
import { first, type Operation, run } from '../operation.ts';
import { isTrue, statement } from '../statement.ts';
import { voidOpenApprovals } from './approvals.ts';
import { certificateInfo, revokeIfCurrent } from './certificates.ts';
import { raiseCrlNumber } from './crl.ts';
import { endAcme, type EndedAcme } from './end-acme.ts';
import { abandonOpenIntents, selectSerialUsed } from './intents.ts';
import { append, beginNextLog } from './log.ts';
import { endMachineCredentials } from './machines.ts';
import { isOwnSerial } from './own-certificates.ts';
import { endOpenRequests } from './requests.ts';
import { voidOpenSecrets } from './secrets.ts';

/** What a backup becomes before anybody serves it. */
export interface Restoring {
  /** Of the log that begins. */
  readonly origin: string;
  /** Checkpoint over all of the log that ends. */
  readonly note: string;
  readonly now: number;
  /** What is known to have happened after the backup. */
  readonly afterwards: Afterwards;
  /** An entry of the new log. */
  readonly entryOf: (event: string, detail: Readonly<Record<string, unknown>>) => NewEntry;
  /** What else the new log is to tell. */
  readonly more: readonly { readonly event: string; readonly detail: Readonly<Record<string, unknown>> }[];
  /** Of its first entry, beside what is found here. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Afterwards {
  /** Issued since. */
  readonly lost: readonly LostCertificate[];
  /** Revoked since: by the backup's account current, or unknown to it. */
  readonly revoked: readonly LostCertificate[];
  readonly stopped: readonly { readonly device: string; readonly state: 'suspended' | 'retired' }[];
  readonly crlNumbers: readonly { readonly issuer: string; readonly number: bigint }[];
}

/** Certified after the backup. */
export interface LostCertificate {
  readonly issuer: string;
  readonly serialNumber: string;
  /** null: nothing was delivered. */
  readonly sha256: string | null;
  readonly device: string;
  readonly template: string;
  /** Origin of the log that tells of it, and the index of its entry there. */
  readonly log: string;
  readonly index: number;
  readonly revokedAt: number;
  readonly reason: number;
}

export interface Restored extends EndedAcme {
  /** Open ones that are void now. */
  readonly secrets: number;
  readonly approvals: number;
  readonly requests: number;
  readonly intents: number;
  /** Tokens and pinned certificates. */
  readonly machineCredentials: number;
  readonly lost: number;
  readonly revoked: number;
  readonly stopped: number;
}

const insertLost = statement((database, p: LostCertificate) =>
  database.insertInto('lost_certificate').values({
    issuer: p.issuer,
    serial_number: p.serialNumber,
    sha256: p.sha256,
    device_id: p.device,
    template: p.template,
    revoked_at: p.revokedAt,
    revocation_reason: p.reason,
  }),
);

const stop = statement((database, p: { id: string; state: DeviceState; now: number }) =>
  database
    .updateTable('device')
    .set({ state: p.state, updated_at: p.now })
    .where('id', '=', p.id)
    .where('state', '<>', p.state)
    .where('state', '<>', 'retired'),
);

const deleteLeases = statement((database) => database.deleteFrom('lease'));

/**
 * A new log, whose first entry tells of the old one. What was open at the time of the backup is void: whoever holds a secret, an approval or an
 * answer that was on its way may have used it since. What is known to have happened since is done again, each with its entry.
 */
export function* restore({
  origin,
  note,
  now,
  afterwards,
  entryOf,
  detail,
  more,
}: Restoring): Operation<Restored> {
  yield* beginNextLog({ origin, note });
  yield* run(deleteLeases, {});
  const entries: NewEntry[] = [];
  const tell = (event: string, about: Readonly<Record<string, unknown>>) =>
    void entries.push(entryOf(event, about));

  const { revoked, unknown } = yield* revokeAgain(afterwards.revoked);
  const lost = yield* keepLost([...afterwards.lost, ...unknown]);
  for (const certificate of lost) tell('certificate.lost', { ...certificate });
  for (const certificate of revoked) tell('certificate.revoked', { ...certificate });
  const stopped = yield* stopAgain(afterwards.stopped, now);
  for (const about of stopped) tell(`device.${about.state}`, about);
  for (const seen of afterwards.crlNumbers) yield* raiseCrlNumber(seen);

  const serials = new Set(lost.map(serialOf));
  const intents = yield* abandonOpenIntents(now, (intent) => serials.has(serialOf(intent)));
  for (const intent of intents) tell('intent.abandoned', { ...intent });
  for (const { event, detail: about } of more) tell(event, about);
  const restored = {
    secrets: yield* voidOpenSecrets(),
    approvals: yield* voidOpenApprovals(),
    requests: yield* endOpenRequests(now),
    intents: intents.length,
    machineCredentials: yield* endMachineCredentials(now),
    ...(yield* endAcme()),
    lost: lost.length,
    revoked: revoked.length,
    stopped: stopped.length,
  };
  yield* append(entryOf('restored', { ...detail, ended: restored }));
  for (const entry of entries) yield* append(entry);
  return restored;
}

/** A serial number stands on a CRL once: what is known of, by the backup or by what came before in these, is left out. */
function* keepLost(all: readonly LostCertificate[]): Operation<readonly LostCertificate[]> {
  const kept: LostCertificate[] = [];
  for (const certificate of all) {
    if (isTrue((yield* first(selectSerialUsed, certificate))?.used)) continue;
    if (yield* isOwnSerial(certificate)) continue;
    yield* run(insertLost, certificate);
    kept.push(certificate);
  }
  return kept;
}

function* revokeAgain(all: readonly LostCertificate[]) {
  const revoked: LostCertificate[] = [];
  const unknown: LostCertificate[] = [];
  for (const certificate of all) {
    const { sha256, reason, revokedAt } = certificate;
    const known = sha256 === null ? null : yield* certificateInfo({ id: sha256 });
    if (known === null || sha256 === null) unknown.push(certificate);
    else if (yield* revokeIfCurrent({ sha256, reason, now: revokedAt })) revoked.push(certificate);
  }
  return { revoked, unknown };
}

function* stopAgain(all: Afterwards['stopped'], now: number) {
  const done: { device: string; state: DeviceState }[] = [];
  for (const { device, state } of all) {
    if ((yield* run(stop, { id: device, state, now })) === 1) done.push({ device, state });
  }
  return done;
}

function serialOf({ issuer, serialNumber }: { issuer: string; serialNumber: string }): string {
  return `${serialNumber} ${issuer}`;
}
