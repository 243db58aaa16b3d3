import { sql } from 'kysely';
import { first, type Operation } from '../operation.ts';
import { isTrue, statement } from '../statement.ts';

/** RFC 5280 section 5.3.1. */
export const keyCompromise = 1;

/**
 * Whoever else has, had or asks for a certificate of this key: who stole it, where a certificate was revoked as compromised. An open intent counts as the certificate that it is about
 * to be.
 */
const selectOtherHolder = statement((database, p: { spki: string; deviceId: string }) =>
  database.selectNoFrom((eb) =>
    eb
      .or([
        eb.exists(
          eb
            .selectFrom('certificate')
            .select('log_idx')
            .where('spki', '=', p.spki)
            .where((row) =>
              row.or([
                row('device_id', '<>', p.deviceId),
                row('revocation_reason', '=', sql.lit(keyCompromise)),
              ]),
            ),
        ),
        eb.exists(
          eb
            .selectFrom('request')
            .select('id')
            .where('spki', '=', p.spki)
            .where('device_id', '<>', p.deviceId)
            .where('state', '<>', 'denied'),
        ),
        eb.exists(
          eb
            .selectFrom('intent')
            .select('id')
            .where((row) => row.or([row('spki', '=', p.spki), row('request_spki', '=', p.spki)]))
            .where('device_id', '<>', p.deviceId),
        ),
      ])
      .as('shared'),
  ),
);

export function* isKeyShared(key: { spki: string; deviceId: string }): Operation<boolean> {
  return isTrue((yield* first(selectOtherHolder, key))?.shared);
}
