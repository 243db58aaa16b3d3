import { ask, preparePolicies, type PolicyJson } from './cedar.ts';
import type { Context } from './facts.ts';
import type { PolicySet } from './policy-set.ts';
import type { Question } from './questions.ts';
import { schemaName } from './schema.ts';

/** A bundle that is being examined, before anyone may be judged by it. */
export interface Candidate {
  /** Ids of the controls that an operator could lift. */
  readonly liftable: readonly string[];
  /** Ids of the controls that object, or cannot be evaluated, which counts as much (rule 2). */
  objecting(question: Question, context: Context): ReadonlySet<string>;
  /** Ids of the controls that are about such a question, by scope and `when`. */
  applying(question: Question): ReadonlySet<string>;
}

const whole = 'candidate';
const withoutUnless = 'candidate without unless';

/** One at a time: the next candidate takes the place of this one. */
export function prepareCandidate({ permit, controls }: PolicySet): Candidate {
  const policies = [permit, ...controls];
  preparePolicies(whole, Object.fromEntries(policies.map(({ id, text }) => [id, text])));
  preparePolicies(withoutUnless, Object.fromEntries(policies.map(({ id, json }) => [id, unexcepted(json)])));
  return {
    liftable: controls.filter(({ liftable }) => liftable).map(({ id }) => id),
    objecting: (question, context) => objections(whole, question, context),
    applying: (question) => objections(withoutUnless, question, {}),
  };
}

function objections(policies: string, question: Question, context: Context): ReadonlySet<string> {
  const answer = ask(schemaName, policies, { ...question, context });
  return new Set(answer.type === 'answer' ? [...answer.objecting, ...answer.errors] : []);
}

function unexcepted({ effect, principal, action, resource, conditions }: PolicyJson): PolicyJson {
  return {
    effect,
    principal,
    action,
    resource,
    conditions: conditions.filter(({ kind }) => kind === 'when'),
  };
}
