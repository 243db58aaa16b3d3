import type { Verdict } from '#policy';
import type { Authority } from './authority.ts';
import { rateWaitSeconds } from './layers/rate.ts';
import type { Observations } from './observations.ts';
import { isPassing } from './passing.ts';
import type { Admission, Answer } from './request.ts';
import { anyTimeSeconds } from './retry-after.ts';

/** What the protocol is told of a verdict that stands against the request. */
export function refusal(
  { id, source }: Admission,
  observations: Observations,
  { objections }: Verdict,
  authority: Authority,
  time: number,
): Answer {
  const { rate } = observations;
  const contested = objections.some(({ control }) => control === 'renewal-lineage');
  const waiting = rateWaitSeconds(rate, authority.references, source.template, time, contested);
  return {
    outcome: 'refused',
    id,
    objections,
    retryAfterSeconds: waiting ?? anyTimeSeconds,
    isPassing: isPassing(observations, authority, time),
  };
}
