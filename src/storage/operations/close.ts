import type { IssuedRecord, LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { type Operation, together } from '../operation.ts';
import { placeOf } from '../place.ts';
import type { IntentRow } from '../schema.ts';
import { finishOrder } from './acme-issuance.ts';
import { endApprovalsBeforehand, useApproval } from './approvals.ts';
import { assertUnrevoked, insertIssued } from './certificates.ts';
import { newestIssued } from './current-certificates.ts';
import { activateExpected, assertAdmissible } from './devices.ts';
import { spendEvidence } from './evidence.ts';
import { takeIntent } from './intents.ts';
import { assertLineage, openContest, settleContests } from './lineage.ts';
import { append, appendBehind, readHead } from './log.ts';
import { endRequests } from './requests.ts';
import { spendSecret } from './secrets.ts';

export function* close(record: IssuedRecord): Operation<LogPosition> {
  const { intentId, requestSpki, certificate, secretId, approvalId, order, evidence, issuedBefore, now } =
    record;
  const { lineage } = record;
  const { deviceId, template, predecessor, spki } = certificate;
  const [head, intent] = yield* together(
    readHead(),
    takeIntent(intentId),
    // What was ended between reserving and here gets nothing: the key may have signed, and the sweep revokes that serial.
    assertAdmissible(deviceId, record.seen),
    predecessor === null ? null : assertUnrevoked(predecessor),
    predecessor === null || lineage === null
      ? null
      : assertLineage({ presented: predecessor, deviceId, template, spki, now }, lineage),
    issuedBefore === null ? null : assertNothingIssued({ deviceId, template, spki, now, ...issuedBefore }),
  );
  assertIntended(intent, record);
  yield* together(
    appendBehind(head, record.entry),
    insertIssued({ ...certificate, undelivered: record.undelivered }, placeOf(head.number, head.size)),
    secretId === null ? null : spendSecret(secretId, certificate.sha256),
    approvalId === null ? null : useApproval(approvalId, intentId),
    predecessor === null ? endApprovalsBeforehand({ deviceId, template }) : null,
    order === null
      ? null
      : finishOrder(order, {
          intent: intentId,
          certificate: certificate.sha256,
          spki: requestSpki,
          place: placeOf(head.number, head.size),
          now,
        }),
    evidence === null
      ? null
      : spendEvidence(evidence, { deviceId, template, spki: requestSpki }, certificate.sha256),
    endRequests({ deviceId, template, spki: requestSpki }),
    activateExpected(deviceId, now),
  );
  if (predecessor !== null && lineage !== null) {
    // Approved beforehand, and so held by nothing before: the other branches stay held as if it had been.
    if (lineage.forked && approvalId !== null) {
      yield* openContest({ presented: predecessor, device_id: deviceId, template, opened_at: now });
    }
    yield* settleContests({ presented: predecessor, deviceId, template }, certificate.sha256);
  }
  if (evidence?.alarm) yield* append(evidence.alarm);
  return { index: head.size };
}

/** What is stored is what was reserved, or nothing is. */
function assertIntended(
  intent: IntentRow,
  { certificate, requestSpki, secretId, approvalId, intentId }: IssuedRecord,
): void {
  const intended =
    intent.issuer === certificate.issuer &&
    intent.serial_number === certificate.serialNumber &&
    intent.device_id === certificate.deviceId &&
    intent.template === certificate.template &&
    intent.spki === certificate.spki &&
    intent.request_spki === requestSpki &&
    intent.names === certificate.names &&
    intent.secret_id === secretId &&
    intent.approval_id === approvalId;
  if (!intended) throw new SallyportError('conflict', `intent ${intentId} was for another certificate`);
}

/** The same request may have come to another node, which was first. */
function* assertNothingIssued({
  sha256,
  ...asked
}: Parameters<typeof newestIssued>[0] & { readonly sha256: string | null }): Operation<void> {
  const newest = yield* newestIssued(asked);
  if ((newest?.sha256 ?? null) !== sha256) {
    throw new SallyportError('conflict', `device ${asked.deviceId} has got this certificate meanwhile`);
  }
}
