import type { Intent } from '#enrollment';
import { SallyportError } from '#errors';
import { type Operation, together } from '../operation.ts';
import { takeOrder } from './acme-issuance.ts';
import { takeApproval } from './approvals.ts';
import { assertUnrevoked } from './certificates.ts';
import { hasCurrentForOtherKey } from './current-certificates.ts';
import { assertAdmissible } from './devices.ts';
import { takeEvidence } from './evidence.ts';
import { assertSerialUnused, hasIntentForOtherKey, insertIntent } from './intents.ts';
import { isKeyShared } from './key-holders.ts';
import { assertLineage } from './lineage.ts';
import { conformingArrival, keepArrival, rateKeys } from './rate-limits.ts';
import { reserveSecret } from './secrets.ts';

/** All or nothing: throws 'conflict' for the first thing that is no longer as it was observed. */
export function* reserve(intent: Intent): Operation<void> {
  const { id, deviceId, seen, template, spki, requestSpki, names, now } = intent;
  const { fresh, secret, approvalId, order, predecessor, lineage, evidence, limits } = intent;
  const [ofDevice, ofTemplate, ofChallenge] = yield* together(
    conformingArrival(rateKeys.device(deviceId), limits.device, now),
    conformingArrival(rateKeys.template(template), limits.template, now),
    limits.challenge === null ? null : conformingArrival(rateKeys.challenge(template), limits.challenge, now),
    assertAdmissible(deviceId, seen),
    predecessor === null ? null : assertUnrevoked(predecessor),
    predecessor === null || lineage === null
      ? null
      : assertLineage({ presented: predecessor, deviceId, template, spki, now }, lineage),
    assertUnshared({ spki, deviceId }),
    fresh ? assertFresh({ deviceId, template, spki, now }) : null,
    assertSerialUnused(intent),
  );
  const asked = { deviceId, template, spki: requestSpki };
  // Before anything else changes: of those who come at once with one secret, all but the first end here.
  if (secret !== null) yield* reserveSecret({ ...asked, id: secret.id, names }, secret.state);
  if (order !== null) yield* takeOrder(order, id, now);
  // Should this process end before it is issued, the same request goes on with it.
  if (evidence !== null) yield* takeEvidence(evidence, asked, now);
  if (approvalId !== null) yield* takeApproval({ ...asked, id: approvalId, intentId: id, now });
  yield* together(
    keepArrival(ofDevice),
    keepArrival(ofTemplate),
    ofChallenge === null ? null : keepArrival(ofChallenge),
    insertIntent({ ...intent, secretId: secret?.id ?? null }),
  );
}

function* assertUnshared(key: { spki: string; deviceId: string }): Operation<void> {
  if (yield* isKeyShared(key)) {
    throw new SallyportError('conflict', 'another device has taken this key meanwhile');
  }
}

/** An open intent counts as the certificate that it is about to be: of two keys asked for at once, one is the first. */
function* assertFresh(asked: {
  deviceId: string;
  template: string;
  spki: string;
  now: number;
}): Operation<void> {
  const [current, intended] = yield* together(hasCurrentForOtherKey(asked), hasIntentForOtherKey(asked));
  if (current || intended) {
    throw new SallyportError(
      'conflict',
      `device ${asked.deviceId} has another key of template ${asked.template} now`,
    );
  }
}
