import type { Context } from '#policy';
import { controlsOfEvidence, isSeen } from '../evidence-seen.ts';
import type { ApprovalObservation, EvidenceSeen } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/** What stands between a request and a new certificate, and not between it and the one that it got already. */
const liftedAgain = ['class-approval', 'enrollment-again', 'first-enrollment', 'renewal-window'];

/**
 * An approval counts for the key and names it was given for; one given beforehand, for the names that the template builds, and for none that
 * the request brings. A request that comes
 * `again`, after its certificate was issued, is approved by what that took: it gets the same certificate and nothing new.
 */
export function deriveApproval(
  approval: ApprovalObservation | null,
  references: References,
  asked: {
    deviceClass: string | null;
    spki: string | null;
    names: string | null;
    time: number;
    again: boolean;
    /** When an operator last denied this device, template, key and names, where no secret decides that; null: nobody did. */
    deniedAt: number | null;
    /** The request brings names of its own, that a rule of the template admits. */
    ownNames: boolean;
    /** What it comes with, where that is verified. */
    evidence: EvidenceSeen | null;
  },
): Finding<NonNullable<Context['approval']>> {
  const ofClass = named(references.deviceClasses, asked.deviceClass);
  const fits =
    approval !== null &&
    asked.time < approval.expiresAt &&
    (approval.spki === null || approval.spki === asked.spki) &&
    (approval.names === null ? !asked.ownNames : approval.names === asked.names);
  const granted = fits || asked.again;
  const lifts = [
    ...new Set([...(asked.again ? liftedAgain : []), ...(fits ? liftedFor(approval, asked.evidence) : [])]),
  ];
  const required = ofClass?.approval !== 'policy';
  const words =
    approval !== null && !granted
      ? 'the approval was given for other names'
      : 'no operator has approved this enrollment';
  const { deniedAt } = asked;
  // Who approves a device after that has changed their mind.
  const denied = deniedAt !== null && !(fits && approval.createdAt > deniedAt);
  return new Finding({ required, granted, lifts, denied })
    .because(
      'first-enrollment',
      lifts.includes('first-enrollment'),
      `${words}, and no evidence vouches for the device`,
    )
    .because(
      'class-approval',
      !required || lifts.includes('class-approval'),
      `${words}, which devices of class ${asked.deviceClass ?? 'unknown'} need`,
    )
    .because(
      'denied',
      !denied,
      'an operator has denied this key and these names; approve the device (sallyport device approve) to let it ask again',
    );
}

/**
 * What objected to evidence is lifted for evidence that says what the operator read. An approval given beforehand is for any, by the word of
 * an operator who named the control; so is one of an entry from before it was written down.
 */
function liftedFor(approval: ApprovalObservation, evidence: EvidenceSeen | null): readonly string[] {
  const { spki, evidence: seen, lifts } = approval;
  const isOfAny = spki === null || seen === undefined;
  if (isOfAny || (seen !== null && isSeen(seen, evidence))) return lifts;
  return lifts.filter((control) => !controlsOfEvidence.includes(control));
}
