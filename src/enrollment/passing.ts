import { isUnanswered } from '#evidence';
import { type Context, judge } from '#policy';
import type { Authority } from './authority.ts';
import { derive } from './derive.ts';
import { withoutAgeOfLists } from './layers/evidence.ts';
import { isOverVerifierLimit } from './layers/rate.ts';
import type { Observations, WorkflowObservation } from './observations.ts';
import { named } from './references.ts';

/** What others than the client may say another time. Workflows that have not refused are taken to agree in any case. */
interface Supposed {
  /** What a verifier has not said yet of the evidence. */
  readonly evidenceHolds?: boolean;
  /** Our lists of revoked keys, with what they say now. */
  readonly listsAreNew?: boolean;
}

/** Whether a request that is refused may fare better another time, though its client sends the same: nothing stands against it but what others have to say. */
export function isPassing(observations: Observations, authority: Authority, time: number): boolean {
  const { evidence, device, rate, challenge, workflows = [] } = observations;
  const { references } = authority;
  if (isOverVerifierLimit(rate, references, time)) return true;
  // Who is known by no more than what a workflow says of it is a stranger until that has agreed, and learns nothing.
  const isKnown = workflows.length > 0 && workflows.every(({ decision }) => decision === 'agreed');
  if (challenge?.kind === 'workflow' && !isKnown) return false;
  const { examination } = evidence ?? {};
  const evidenceHolds = examination !== undefined && isUnanswered(examination);
  const listsAreNew = withoutAgeOfLists(references, device, evidence) !== null;
  const isAwaited = evidenceHolds || listsAreNew || workflows.length > 0;
  return isAwaited && wouldPass(observations, authority, time, { evidenceHolds, listsAreNew });
}

/** Whether it would be issued, or wait for an operator, if this were so. */
export function wouldPass(
  observations: Observations,
  authority: Authority,
  time: number,
  { evidenceHolds = false, listsAreNew = false }: Supposed = {},
): boolean {
  const { device, evidence } = observations;
  const renewed = listsAreNew ? withoutAgeOfLists(authority.references, device, evidence) : null;
  const supposed = { ...observations, workflows: agreedWorkflows(observations, authority) };
  const { facts } = derive(supposed, renewed ?? authority.references, 'request', time);
  const context = evidenceHolds ? { ...facts.context, evidence: holding } : facts.context;
  return judge(authority.bundle, { ...facts, context }).decision !== 'deny';
}

const holding: NonNullable<Context['evidence']> = {
  required: true,
  offered: true,
  judged: true,
  sound: true,
  fresh: true,
  trusted: true,
  forKey: true,
  forDevice: true,
  unused: true,
  verified: true,
};

function agreedWorkflows(
  { source, workflows = [] }: Observations,
  { references }: Authority,
): readonly WorkflowObservation[] {
  return (named(references.templates, source.template)?.workflows ?? []).map((name) => {
    const said = workflows.find((each) => each.name === name);
    const isAgainst = said !== undefined && (said.decision === 'refused' || said.device === 'other');
    return isAgainst ? said : { name, decision: 'agreed', code: '', device: 'none' };
  });
}
