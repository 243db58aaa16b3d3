import { appraise, type EvidenceFault } from '#evidence';
import type { RequestEntry } from './entry.ts';
import { referenceValues } from './layers/evidence.ts';
import { attesterOf, statusOf, type StatusLists } from './offered-evidence.ts';
import { named, type References } from './references.ts';

/**
 * What stands against the evidence that a certificate rests on, by what is believed and asked now; null: it rests on none. Dates are those of its issuance, for
 * nobody attests again meanwhile; what issuers have revoked since counts, and what we have: `revoked`, SHA-256 of certificates.
 */
export function recheckEvidence(
  { observations: { evidence }, facts, time }: RequestEntry,
  references: Pick<References, 'deviceClasses' | 'attestation'>,
  statusLists: StatusLists,
  revoked: ReadonlySet<string>,
): readonly EvidenceFault[] | null {
  const examination = evidence?.examination;
  if (examination === undefined || facts.context.evidence?.verified !== true) return null;
  const { format } = examination;
  const ofClass = named(references.deviceClasses, facts.deviceClass);
  const requirement = format === null ? undefined : ofClass?.evidence?.[format];
  if (requirement === undefined) {
    const detail = `devices of class ${facts.deviceClass} prove nothing by evidence of format ${format}`;
    return [{ check: 'format', detail }];
  }
  // Lists are of now, and that one is old, lacking or of too many to record is no fault of the evidence.
  const { maximumStatusAgeSeconds: _, ...values } = referenceValues(requirement, references);
  const { objections } = appraise(examination, values, statusOf(examination, statusLists), time);
  const attester = attesterOf(examination);
  if (attester === null || !revoked.has(attester)) return objections;
  const detail = 'the certificate of its attestation key is revoked';
  return [...objections, { check: 'attester-revoked', detail }];
}
