import type { Intent } from '#enrollment';
import { SallyportError } from '#errors';
import type { RateLimit } from '#limits';
import type { Operation } from '../operation.ts';
import { takeApproval } from './approvals.ts';
import { assertUnrevoked } from './certificates.ts';
import { assertAdmissible } from './devices.ts';
import { openIntent } from './intents.ts';
import { isKeyShared } from './key-holders.ts';
import { rateKeys, spendRate } from './rate-limits.ts';
import { reserveSecret } from './secrets.ts';

/** All or nothing: throws 'conflict' for the first thing that is no longer as it was observed. */
export function* reserve(intent: Intent): Operation<void> {
  const { id, deviceId, template, spki, names, secret, approvalId, predecessor, limits, now } = intent;
  yield* assertAdmissible(deviceId);
  if (predecessor !== null) yield* assertUnrevoked(predecessor);
  if (yield* isKeyShared({ spki, deviceId })) {
    throw new SallyportError('conflict', 'another device has taken this key meanwhile');
  }
  if (secret !== null) yield* reserveSecret({ id: secret.id, deviceId, template, spki, names }, secret.state);
  if (approvalId !== null) {
    yield* takeApproval({ id: approvalId, intentId: id, deviceId, template, spki, now });
  }
  yield* spendOrConflict(rateKeys.device(deviceId), limits.device, now);
  yield* spendOrConflict(rateKeys.template(template), limits.template, now);
  yield* openIntent({ ...intent, secretId: secret?.id ?? null });
}

function* spendOrConflict(key: string, limit: RateLimit, now: number): Operation<void> {
  const { conforms } = yield* spendRate(key, limit, now);
  if (!conforms) throw new SallyportError('conflict', `the limit of ${key} is spent`);
}
