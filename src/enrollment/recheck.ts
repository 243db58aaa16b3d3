import { appraise, type EvidenceFault } from '#evidence';
import type { Facts } from '#policy';
import type { RequestEntry } from './entry.ts';
import {
  attesterProblem,
  deviceProblem,
  endorsementProblem,
  levelProblem,
  referenceValues,
} from './layers/evidence.ts';
import type { AttesterObservation, Observations } from './observations.ts';
import { statusOf, type StatusLists } from './offered-evidence.ts';
import { named, type References } from './references.ts';

/** Of the key that attests, now. */
export interface AttesterNow {
  readonly observed: AttesterObservation | null;
  /** What stands against the evidence on which we certified it. */
  readonly fallen: readonly EvidenceFault[];
}

/** What of an entry is asked again. */
export interface Rechecked extends Pick<RequestEntry, 'time'> {
  readonly observations: Pick<Observations, 'evidence' | 'device'>;
  readonly facts: Pick<Facts, 'deviceClass' | 'template'> & {
    readonly context: { readonly evidence?: { readonly verified: boolean } };
  };
}

/**
 * What stands against the evidence that a certificate rests on, by what is believed and asked now; null: it rests on none. Dates and the device's names are those of its
 * issuance, for nobody attests again meanwhile; what issuers have revoked since counts, and what we have.
 */
export function recheckEvidence(
  { observations: { evidence, device }, facts, time }: Rechecked,
  references: Pick<References, 'deviceClasses' | 'templates' | 'attestation'>,
  statusLists: StatusLists,
  attester: AttesterNow,
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
  const { level, objections } = appraise(examination, values, statusOf(examination, statusLists), time);
  const { identities } = examination.statement!;
  const template = named(references.templates, facts.template);
  const faults = {
    // A template that is gone asks for nothing, and issues nothing.
    'template-level': template === undefined || objections.length > 0 ? null : levelProblem(level, template),
    device: deviceProblem(identities, requirement, device) ?? endorsementProblem(identities, device),
    'attester-revoked': attesterProblem(attester.observed, device),
    'attester-fallen':
      attester.fallen.length === 0
        ? null
        : `we certified its attestation key on evidence that does not hold any more: ${attester.fallen.map(({ check }) => check).join(', ')}`,
  };
  const found = Object.entries(faults).flatMap(([check, detail]) =>
    detail === null ? [] : [{ check, detail }],
  );
  return [...objections, ...found];
}
