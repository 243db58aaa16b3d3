import type { Template } from '#ca';
import { spend } from '#limits';
import type { Context } from '#policy';
import type { ChallengeObservation, RateObservation, WorkflowObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/** Which workflows of the template have agreed, for the device that is observed. */
export function deriveWorkflow(
  workflows: readonly WorkflowObservation[] | undefined,
  template: Template | undefined,
): Finding<NonNullable<Context['workflow']>> {
  const wanted = template?.workflows ?? [];
  const problems = wanted.flatMap((name) => {
    const observed = workflows?.find((each) => each.name === name);
    if (observed === undefined) {
      return [`workflow ${name} was not asked: other things stand against the request`];
    }
    if (observed.decision !== 'agreed') return [`workflow ${name}: ${observed.decision} (${observed.code})`];
    return observed.device === 'other' ? [`workflow ${name} speaks of another device`] : [];
  });
  const agreed = wanted.length > 0 && problems.length === 0;
  return new Finding({ required: wanted.length > 0 || template === undefined, agreed }).because(
    'workflow-agreed',
    agreed || wanted.length === 0,
    problems.join('; '),
  );
}

/** A password that is no secret of ours. */
export function deriveChallenge(
  challenge: ChallengeObservation,
  agreed: boolean,
  asked: {
    template: Template | undefined;
    rate: RateObservation;
    references: References;
    time: number;
  },
): Finding<NonNullable<Context['challenge']>> {
  const { template, rate, references, time } = asked;
  const takes = (layer: Template['authentication'][number]) =>
    template?.authentication.includes(layer) === true;
  if (challenge.kind === 'workflow') {
    const known = takes('workflow') && agreed;
    return new Finding({ known, withinLimit: true }).because(
      'challenge-known',
      known,
      'no workflow answers for the challenge',
    );
  }
  const known = takes('dangerousStaticChallenge') && challenge.matches;
  const limit = named(references.limits.staticChallenges ?? {}, template?.name);
  const spending = limit === undefined ? null : spend(limit, rate.challenge?.tat ?? null, time);
  return new Finding({ known, withinLimit: spending?.conforms === true })
    .because('challenge-known', known, 'it is not the static challenge of the template')
    .because(
      'challenge-limit',
      spending?.conforms === true,
      `the static challenge is over its limit for another ${spending?.retryAfterSeconds ?? 0} s`,
    );
}
