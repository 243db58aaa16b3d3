import { first, type Operation } from '../operation.ts';
import { isTrue, statement } from '../statement.ts';

/** Whoever else has, had or asks for a certificate of this key. An open intent counts as the certificate that it is about to be. */
const selectOtherHolder = statement((database, p: { spki: string; deviceId: string }) =>
  database.selectNoFrom((eb) =>
    eb
      .or([
        eb.exists(
          eb
            .selectFrom('certificate')
            .select('log_idx')
            .where('spki', '=', p.spki)
            .where('device_id', '<>', p.deviceId),
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
