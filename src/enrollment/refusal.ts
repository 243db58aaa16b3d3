import { isUnanswered } from '#evidence';
import type { Verdict } from '#policy';
import { wouldPass } from './ask-verifier.ts';
import type { Authority } from './authority.ts';
import { rateWaitSeconds } from './layers/rate.ts';
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
  const retryAfterSeconds = rateWaitSeconds(rate, authority.references, source.template, time);
  const { examination } = observations.evidence ?? {};
  const isPassing =
    examination !== undefined && isUnanswered(examination)
      ? wouldPass(observations, authority, time)
      : objections.every(({ control, liftable }) => liftable || control === 'workflow-agreed') &&
        workflows.length > 0 &&
        workflows.every(({ decision, device }) => decision !== 'refused' && device !== 'other');
  return { outcome: 'refused', id, objections, retryAfterSeconds, isPassing };
}
