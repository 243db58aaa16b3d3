import type { Intent } from '#enrollment';
import { SallyportError } from '#errors';
import type { Operation } from '../operation.ts';
import { takeApproval } from './approvals.ts';
import { assertUnrevoked } from './certificates.ts';
import { hasCurrentForOtherKey } from './current-certificates.ts';
import { assertAdmissible } from './devices.ts';
import { hasIntentForOtherKey, openIntent } from './intents.ts';
import { isKeyShared } from './key-holders.ts';
import { rateKeys, spendOrConflict } from './rate-limits.ts';
import { reserveSecret } from './secrets.ts';

/** All or nothing: throws 'conflict' for the first thing that is no longer as it was observed. */
export function* reserve(intent: Intent): Operation<void> {
  const { id, deviceId, template, spki, requestSpki, names, now } = intent;
  const { fresh, secret, approvalId, predecessor, limits } = intent;
  yield* assertAdmissible(deviceId);
  if (predecessor !== null) yield* assertUnrevoked(predecessor);
  if (yield* isKeyShared({ spki, deviceId })) {
    throw new SallyportError('conflict', 'another device has taken this key meanwhile');
  }
  if (fresh) yield* assertFresh({ deviceId, template, spki, now });
  const asked = { deviceId, template, spki: requestSpki };
  if (secret !== null) yield* reserveSecret({ ...asked, id: secret.id, names }, secret.state);
  if (approvalId !== null) yield* takeApproval({ ...asked, id: approvalId, intentId: id, now });
  yield* spendOrConflict(rateKeys.device(deviceId), limits.device, now);
  yield* spendOrConflict(rateKeys.template(template), limits.template, now);
  yield* openIntent({ ...intent, secretId: secret?.id ?? null });
}

/** An open intent counts as the certificate that it is about to be: of two keys asked for at once, one is the first. */
function* assertFresh(asked: {
  deviceId: string;
  template: string;
  spki: string;
  now: number;
}): Operation<void> {
  if ((yield* hasCurrentForOtherKey(asked)) || (yield* hasIntentForOtherKey(asked))) {
    throw new SallyportError(
      'conflict',
      `device ${asked.deviceId} has another key of template ${asked.template} now`,
    );
  }
}
