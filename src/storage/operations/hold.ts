import type { HoldRecord, LogPosition } from '#enrollment';
import type { Operation } from '../operation.ts';
import { placeOf } from '../place.ts';
import { holdOrder } from './acme-issuance.ts';
import { takeEvidence } from './evidence.ts';
import { openContest } from './lineage.ts';
import { append, appendBehind, readHead } from './log.ts';
import { keepPolled } from './polled-requests.ts';
import { conformingArrival, keepArrival, rateKeys } from './rate-limits.ts';
import { openRequest } from './requests.ts';
import { reserveForHeld } from './secrets.ts';

type Held = LogPosition & { readonly request: string; readonly firstSeen: number };

export function* hold(record: HoldRecord): Operation<Held> {
  const { secretId, deviceId, template, spki, names } = record;
  if (secretId !== null) yield* reserveForHeld({ id: secretId, deviceId, template, spki, names });
  const { request, firstSeen, opened } = yield* openRequest(record);
  if (opened) {
    const { device, challenge } = record.limits;
    const { contestant } = record;
    const charged = contestant === null ? rateKeys.device(deviceId) : rateKeys.presented(contestant);
    yield* keepArrival(yield* conformingArrival(charged, device, record.now));
    if (challenge !== null) {
      yield* keepArrival(yield* conformingArrival(rateKeys.challenge(template), challenge, record.now));
    }
  }
  const head = yield* readHead();
  yield* appendBehind(head, record.entry);
  yield* keepPolled(record, placeOf(head.number, head.size));
  if (record.evidence !== null) {
    yield* takeEvidence(record.evidence, { deviceId, template, spki }, record.now);
  }
  if (record.contested !== null) {
    const { contested: presented, now: opened_at } = record;
    yield* openContest({ presented, device_id: deviceId, template, opened_at });
  }
  yield* holdOrder(record, placeOf(head.number, head.size));
  // Whoever asks again with a request that waits is no news.
  if (opened && record.evidence?.alarm) yield* append(record.evidence.alarm);
  return { index: head.size, request, firstSeen };
}
