import type { Template } from '#ca';
import { spend } from '#limits';
import type { Context } from '#policy';
import type { ChallengeObservation, RateObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

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
