import type { Context } from '#policy';
import type { ApprovalObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/** What is not asked twice of a request that gets the certificate it got before. */
const enrollmentControls = ['first-enrollment', 'class-approval', 'enrollment-again'];

/**
 * An approval counts for the key and names it was given for; one given beforehand, for whatever the template builds. A request that comes
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
  },
): Finding<NonNullable<Context['approval']>> {
  const ofClass = named(references.deviceClasses, asked.deviceClass);
  const fits =
    approval !== null &&
    asked.time < approval.expiresAt &&
    (approval.spki === null || approval.spki === asked.spki) &&
    (approval.names === null || approval.names === asked.names);
  const granted = fits || asked.again;
  const lifts = [...new Set([...(asked.again ? enrollmentControls : []), ...(fits ? approval.lifts : [])])];
  const required = ofClass?.approval !== 'policy';
  const words =
    approval !== null && !granted
      ? 'the approval was given for other names'
      : 'no operator has approved this enrollment';
  return new Finding({ required, granted, lifts })
    .because(
      'first-enrollment',
      lifts.includes('first-enrollment'),
      `${words}, and no evidence vouches for the device`,
    )
    .because(
      'class-approval',
      !required || lifts.includes('class-approval'),
      `${words}, which devices of class ${asked.deviceClass ?? 'unknown'} need`,
    );
}
