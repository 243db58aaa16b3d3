import { SallyportError } from '#errors';

import { parsePolicies, type PolicyJson } from './cedar.ts';
import { readPolicy, type Reading } from './reading.ts';

export interface Policy {
  readonly id: string;
  readonly title: string;
  /** @hold: an operator may lift it for one request. */
  readonly liftable: boolean;
  /** As written. */
  readonly text: string;
  readonly json: PolicyJson;
  readonly reading: Reading;
}

/** A policy file with its roles told apart: the one permit, and the forbids in the order of the page. */
export interface PolicySet {
  readonly permit: Policy;
  readonly controls: readonly Policy[];
}

export const permitId = 'enrollment';

/** Objections of the judge itself. No policy may speak in their name. */
const reservedIds: readonly string[] = ['incomplete', 'unevaluable', 'not-permitted'];
const idForm = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

export function parsePolicySet(text: string): PolicySet {
  const problems: string[] = [];
  const policies = parsePolicies(text).map(({ text: policy, json }): Policy => {
    const { id, title } = json.annotations ?? {};
    const problem = annotationProblem(id, title, policy);
    if (problem !== null) problems.push(problem);
    const liftable = Object.hasOwn(json.annotations ?? {}, 'hold');
    return { id: id ?? '', title: title ?? '', liftable, text: policy, json, reading: readPolicy(json) };
  });
  refuse([...problems, ...duplicates(policies)]);

  const permit = policies.find(({ id }) => id === permitId);
  if (permit === undefined) throw refusal([`the permit with @id("${permitId}") is missing`]);
  refuse(permitProblems(permit, policies));
  return { permit, controls: policies.filter(({ json }) => json.effect === 'forbid') };
}

/** Throws 'policy' where there are problems. Each names the control and says what to do. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw refusal(problems);
}

function refusal(problems: readonly string[]): SallyportError {
  return new SallyportError('policy', `policies: ${problems.join('; ')}`);
}

function annotationProblem(id: string | undefined, title: string | undefined, policy: string): string | null {
  if (!id) return `a policy has no @id: ${policy.slice(0, 100)}`;
  if (!idForm.test(id)) return `@id("${id}") must be lower-case words joined by hyphens`;
  if (reservedIds.includes(id)) return `@id("${id}") is reserved for the judge itself`;
  if (!title) return `${id} has no @title: say the rule in plain words`;
  return null;
}

function duplicates(policies: readonly Policy[]): string[] {
  const ids = policies.map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map(
    (id) => `@id("${id}") is given to more than one policy`,
  );
}

/** What narrows the permit must be a forbid: only a control that objects has a name in the log. */
function permitProblems(permit: Policy, policies: readonly Policy[]): string[] {
  const { effect, principal, action, resource, conditions } = permit.json;
  const open = [principal, action, resource].every(({ op }) => op === 'All') && conditions.length === 0;
  const others = policies.filter(({ id, json }) => json.effect === 'permit' && id !== permitId);
  return [
    ...(effect === 'permit' && open && !permit.liftable
      ? []
      : [`${permitId} must be "permit (principal, action, resource);": narrow it by a forbid of your own`]),
    ...others.map(
      ({ id }) => `${id} is a permit: only ${permitId} may be one, your own policies are forbids`,
    ),
  ];
}
