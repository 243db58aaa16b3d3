import { sql } from 'kysely';
import type { AttesterObservation, AttesterQuery } from '#enrollment';
import { SallyportError } from '#errors';
import { first, type Operation, together } from '../operation.ts';
import { statement } from '../statement.ts';
import { keyCompromise } from './key-holders.ts';

/* By serial number and key, which its issuer has signed: by its bytes anybody could make another of it, since ECDSA verifies a second signature that follows from the first. */

const selectOwn = statement((database, p: AttesterQuery) =>
  database
    .selectFrom('certificate')
    .select(['device_id', 'revoked_at'])
    .where('serial_number', '=', p.serialNumber)
    .where('spki', '=', p.spki),
);

const selectLost = statement((database, p: { serialNumber: string }) =>
  database.selectFrom('lost_certificate').select('device_id').where('serial_number', '=', p.serialNumber),
);

const selectCompromised = statement((database, p: { spki: string }) =>
  database
    .selectFrom('certificate')
    .select('log_idx')
    .where('spki', '=', p.spki)
    .where('revocation_reason', '=', sql.lit(keyCompromise))
    .limit(1),
);

/** null: we have not certified it, as far as the store knows, nor taken back its key. */
export function* observeAttester(query: AttesterQuery): Operation<AttesterObservation | null> {
  const [own, lost, compromising] = yield* together(
    first(selectOwn, query),
    first(selectLost, query),
    first(selectCompromised, query),
  );
  const compromised = compromising !== undefined;
  if (own === undefined && lost === undefined && !compromised) return null;
  return {
    deviceId: (own ?? lost)?.device_id ?? null,
    revoked: own === undefined ? lost !== undefined : own.revoked_at !== null,
    ...(compromised ? { compromised } : {}),
  };
}

/** Throws 'conflict' where it was taken back since it was observed. */
export function* assertAttests(query: AttesterQuery): Operation<void> {
  const found = yield* observeAttester(query);
  if (found?.revoked || found?.compromised) {
    throw new SallyportError('conflict', 'the attestation key was taken back meanwhile');
  }
}
