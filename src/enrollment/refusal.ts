import type { Verdict } from '#policy';
import type { Authority } from './authority.ts';
import { rateWaitSeconds } from './layers/rate.ts';
import type { Observations } from './observations.ts';
import type { Admission, Answer } from './request.ts';

/** What the protocol is told of a verdict that stands against the request. */
export function refusal(
  { id, source }: Admission,
  { rate, workflows = [] }: Observations,
  { objections }: Verdict,
  { references }: Authority,
  time: number,
): Answer {
  const retryAfterSeconds = rateWaitSeconds(rate, references, source.template, time);
  const isPassing =
    objections.every(({ control, liftable }) => liftable || control === 'workflow-agreed') &&
    workflows.length > 0 &&
    workflows.every(({ decision, device }) => decision !== 'refused' && device !== 'other');
  return { outcome: 'refused', id, objections, retryAfterSeconds, isPassing };
}
