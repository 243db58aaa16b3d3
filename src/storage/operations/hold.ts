import type { HoldRecord, LogPosition } from '#enrollment';
import type { Operation } from '../operation.ts';
import { append } from './log.ts';
import { conformingArrival, keepArrival, rateKeys } from './rate-limits.ts';
import { openRequest } from './requests.ts';
import { reserveForHeld } from './secrets.ts';

type Held = LogPosition & { readonly request: string; readonly firstSeen: number };

export function* hold(record: HoldRecord): Operation<Held> {
  const { secretId, deviceId, template, spki, names } = record;
  if (secretId !== null) yield* reserveForHeld({ id: secretId, deviceId, template, spki, names });
  const { request, firstSeen, opened } = yield* openRequest(record);
  if (opened) {
    yield* keepArrival(yield* conformingArrival(rateKeys.device(deviceId), record.limit, record.now));
  }
  return { index: yield* append(record.entry), request, firstSeen };
}
