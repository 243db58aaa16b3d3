import type {
  EarlierEvidence,
  EnrollmentStore,
  EvidenceMemory,
  LogPosition,
  UsedEvidence,
} from '#enrollment';
import { SallyportError } from '#errors';
import type { Examination } from '#evidence';
import { fromJson, toJson } from '../json-text.ts';
import { first, type Operation, run, together } from '../operation.ts';
import type { EvidenceRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { rememberAttestingKey } from './attestation-keys.ts';
import { assertAttests } from './attesters.ts';
import { rememberVersions } from './evidence-versions.ts';
import { append } from './log.ts';
import { observePresenter, observeSecret } from './presented.ts';

/** What evidence came with. */
interface EvidenceRequest {
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
}

const select = statement((database, p: { sha256: string }) =>
  database.selectFrom('evidence').selectAll().where('sha256', '=', p.sha256),
);

const insert = statement((database, p: EvidenceRow) =>
  database.insertInto('evidence').values({
    sha256: p.sha256,
    device_id: p.device_id,
    template: p.template,
    spki: p.spki,
    fresh: p.fresh,
    certificate: p.certificate,
    seen_at: p.seen_at,
    examination: p.examination,
  }),
);

const spend = statement((database, p: { sha256: string; certificate: string }) =>
  database
    .updateTable('evidence')
    .set({ certificate: p.certificate })
    .where('sha256', '=', p.sha256)
    .where('certificate', 'is', null),
);

const selectNonce = statement((database, p: { holder: string; now: number }) =>
  database
    .selectFrom('evidence_nonce')
    .select('nonce')
    .where('holder', '=', p.holder)
    .where('expires_at', '>', p.now),
);

const upsertNonce = statement((database, p: { holder: string; nonce: Uint8Array; expiresAt: number }) =>
  database
    .insertInto('evidence_nonce')
    .values({ holder: p.holder, nonce: p.nonce, expires_at: p.expiresAt })
    .onConflict((conflict) =>
      conflict.column('holder').doUpdateSet({ nonce: p.nonce, expires_at: p.expiresAt }),
    ),
);

const deleteNonce = statement((database, p: { holder: string; nonce: Uint8Array }) =>
  database.deleteFrom('evidence_nonce').where('holder', '=', p.holder).where('nonce', '=', p.nonce),
);

const deleteWaiting = statement((database, p: { before: number }) =>
  database.deleteFrom('evidence').where('certificate', 'is', null).where('seen_at', '<=', p.before),
);

const deleteNonces = statement((database, p: { before: number }) =>
  database.deleteFrom('evidence_nonce').where('expires_at', '<=', p.before),
);

/** Who presents a secret or a certificate has one nonce at a time. */
export function holderOf(secret: { readonly id: string } | null, certificate: string | null): string | null {
  if (secret !== null) return `secret ${secret.id}`;
  return certificate === null ? null : `certificate ${certificate}`;
}

export function* observeEvidence(
  sha256: string,
  asked: EvidenceRequest | null,
): Operation<{ readonly earlier: EarlierEvidence; readonly verified: Examination | null } | null> {
  const row = yield* first(select, { sha256 });
  if (row === undefined) return null;
  const { fresh, certificate, seen_at: seenAt, examination } = row;
  const same = asked !== null && isOf(row, asked);
  return {
    earlier: { same, fresh: fresh === 1, certificate, seenAt },
    verified: same && examination !== null ? fromJson(examination) : null,
  };
}

/** From here on the evidence is of this request, and of no other, and its nonce is used up. Throws 'conflict' where it is another's, or the nonce is not in force any more. */
export function* takeEvidence(
  { sha256, fresh, verified, secretId, presenterSha256, nonce }: UsedEvidence,
  asked: EvidenceRequest,
  now: number,
): Operation<void> {
  const holder = holderOf(secretId === null ? null : { id: secretId }, presenterSha256);
  if (nonce !== null && holder !== null && (yield* run(deleteNonce, { holder, nonce })) === 0) {
    throw new SallyportError('conflict', 'the nonce was used with another request meanwhile');
  }
  const row = yield* first(select, { sha256 });
  if (row !== undefined) return assertOf(row, asked);
  const { deviceId: device_id, template, spki } = asked;
  yield* run(insert, {
    sha256,
    device_id,
    template,
    spki,
    fresh: fresh ? 1 : 0,
    certificate: null,
    seen_at: now,
    examination: verified === null ? null : toJson(verified),
  });
}

/** What got a certificate gets no other, and is remembered. Throws 'conflict' where it has got one already, or does not hold any more. */
export function* spendEvidence(
  { sha256, attester, memory }: UsedEvidence,
  asked: EvidenceRequest,
  certificate: string,
): Operation<void> {
  if (attester !== null) yield* assertAttests(attester);
  if (memory !== null) yield* remember(asked.deviceId, memory, certificate);
  const row = yield* first(select, { sha256 });
  if (row === undefined) throw new SallyportError('conflict', 'the evidence was forgotten meanwhile');
  assertOf(row, asked);
  if ((yield* run(spend, { sha256, certificate })) === 0) throw anothers();
}

function assertOf(row: EvidenceRow, asked: EvidenceRequest): void {
  if (!isOf(row, asked)) throw anothers();
}

function anothers(): SallyportError {
  return new SallyportError('conflict', 'the evidence came with another request meanwhile');
}

function* remember(deviceId: string, memory: EvidenceMemory, certificate: string): Operation<void> {
  yield* rememberVersions(deviceId, memory, certificate);
  const { attestingKey, format } = memory;
  if (attestingKey !== null) yield* rememberAttestingKey(deviceId, format, attestingKey, certificate);
}

export function* evidenceNonce(holder: string, now: number): Operation<Uint8Array | null> {
  return (yield* first(selectNonce, { holder, now }))?.nonce ?? null;
}

/** Kept for a secret or a certificate of ours alone, and told in any case. */
export function* giveNonce(act: Parameters<EnrollmentStore['giveNonce']>[0]): Operation<LogPosition> {
  const { nonce, expiresAt, entry, now } = act;
  const [secret, presenter] = yield* together(
    observeSecret({ secretMacs: act.secretMacs, now }),
    observePresenter({ presenterSha256: act.presenterSha256 }),
  );
  const isKnown = presenter !== null || act.isVouchedFor;
  const holder = holderOf(secret, isKnown ? act.presenterSha256 : null);
  if (holder !== null) yield* keepNonce(holder, nonce, expiresAt);
  return { index: yield* append(entry) };
}

/** In place of the one before. */
export function* keepNonce(holder: string, nonce: Uint8Array, expiresAt: number): Operation<void> {
  yield* run(upsertNonce, { holder, nonce, expiresAt });
}

export function* forgetEvidenceNonces({ now }: { now: number }): Operation<void> {
  yield* run(deleteNonces, { before: now });
}

/**
 * What came until then and got no certificate. Its nonce was used up when it came, and none is given twice: the same octets, should they come again, are evidence that is not fresh.
 */
export function* forgetWaitingEvidence({ before }: { before: number }): Operation<void> {
  yield* run(deleteWaiting, { before });
}

function isOf({ device_id, template, spki }: EvidenceRow, asked: EvidenceRequest): boolean {
  return device_id === asked.deviceId && template === asked.template && spki === asked.spki;
}
