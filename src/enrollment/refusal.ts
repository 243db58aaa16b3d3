import { isUnanswered } from '#evidence';
import type { Verdict } from '#policy';
import { wouldPass } from './ask-verifier.ts';
import type { Authority } from './authority.ts';
import { lacksListAlone } from './layers/evidence.ts';
import { isOverVerifierLimit, rateWaitSeconds } from './layers/rate.ts';
import type { Observations } from './observations.ts';
import type { Admission, Answer } from './request.ts';

/** What the protocol is told of a verdict that stands against the request. */
export function refusal(
  { id, source }: Admission,
  observations: Observations,
  { objections }: Verdict,
  authority: Authority,
  time: number,
): Answer {
  const { rate, workflows = [] } = observations;
  const contested = objections.some(({ control }) => control === 'renewal-lineage');
  const retryAfterSeconds = rateWaitSeconds(rate, authority.references, source.template, time, contested);
  const { examination } = observations.evidence ?? {};
  const awaitsVerifier = examination !== undefined && isUnanswered(examination);
  const awaitsWorkflows =
    objections.every(({ control, liftable }) => liftable || control === 'workflow-agreed') &&
    workflows.length > 0 &&
    workflows.every(({ decision, device }) => decision !== 'refused' && device !== 'other');
  const isPassing = awaitsVerifier
    ? wouldPass(observations, authority, time)
    : isOverVerifierLimit(rate, authority.references, time) ||
      awaitsWorkflows ||
      awaitsList(observations, objections, source.template, authority.references, time);
  return { outcome: 'refused', id, objections, retryAfterSeconds, isPassing };
}

/** Nothing for good stands against it but that our list of revoked keys is too old. */
function awaitsList(
  { evidence, device, request }: Observations,
  objections: Verdict['objections'],
  template: string | null,
  references: Authority['references'],
  time: number,
): boolean {
  const isOfTrust = objections.every(
    ({ control, liftable }) => liftable || control === 'attestation' || control === 'attestation-trusted',
  );
  if (!isOfTrust || evidence === null || request === null) return false;
  // A certificate that was issued for the same evidence would be given again, and not refused.
  const asked = { device, template, spki: request.spki, issued: null, approvedAt: null, time };
  return lacksListAlone(evidence, references, asked);
}
