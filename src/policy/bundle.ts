import { createHash } from 'node:crypto';

import { SallyportError } from '#errors';

import { prepareCandidate } from './candidate.ts';
import { preparePolicies, validatePolicies } from './cedar.ts';
import { controlTable, type RequiredControl } from './controls.ts';
import { findOpenOnEmptyFacts } from './empty-facts.ts';
import { findUnliftable } from './lifting.ts';
import { Memo } from './memo.ts';
import { parsePolicySet, type Policy, type PolicySet, refuse } from './policy-set.ts';
import { project, type Projection } from './projection.ts';
import { namesOf, questionsOf, type References } from './questions.ts';
import { type Group, loadSchema, type Schema, withoutGroups } from './schema.ts';
import { checkTextLimits } from './text-limits.ts';
import type { Finding } from './verdict.ts';
import { findWeakened } from './weakening.ts';

/** A control as people see it. */
export interface Control {
  readonly id: string;
  readonly title: string;
  readonly liftable: boolean;
  /** The policy as written. */
  readonly text: string;
}

/** Policies that passed every check of `loadBundle` or `loadRecordedBundle`. The judge takes no other object. */
export interface Bundle {
  /** SHA-256 of the text, lower hex. */
  readonly digest: string;
  readonly text: string;
  /** The forbids, in the order of the page. */
  readonly controls: readonly Control[];
}

/** What the judge needs of a bundle. */
export interface CompiledBundle {
  /** The name under which Cedar keeps the parsed policies. */
  readonly policies: string;
  /** What there is to know: the schema, without what came with a control that recorded policies do not have. */
  readonly groupsOf: Schema['groupsOf'];
  /** That. */
  readonly without: ReadonlySet<Group>;
  readonly projection: Projection;
  readonly titles: ReadonlyMap<string, string>;
  readonly liftable: ReadonlySet<string>;
  readonly memo: Memo<Finding>;
}

/** Far more than the combinations of facts that a fleet shows in a day; a few hundred bytes each. */
const rememberedFindings = 4096;

const compiledBundles = new WeakMap<Bundle, CompiledBundle>();

/**
 * Refuses with 'policy', and says which control and why, whatever could open the door: policies that do not parse or do
 * not fit the schema, a required control that is missing, weakened, or silent on facts that prove nothing.
 */
export function loadBundle(text: string, references: References): Bundle {
  return load(text, references, () => controlTable);
}

/**
 * To judge again what was recorded, and for nothing that is put in force: such policies may lack the controls that came later, and are asked nothing that came
 * with them. In every other respect they are examined as any.
 */
export function loadRecordedBundle(text: string, references: References): Bundle {
  return load(text, references, ({ controls }) => {
    const present = new Set(controls.map(({ id }) => id));
    return controlTable.filter(({ id, brought }) => brought === null || present.has(id));
  });
}

function load(
  text: string,
  references: References,
  requiredOf: (policySet: PolicySet) => readonly RequiredControl[],
): Bundle {
  checkTextLimits(text);
  const policySet = parsePolicySet(text);
  const required = requiredOf(policySet);
  const without = controlTable
    .filter((control) => !required.includes(control))
    .map(({ brought }) => brought!);
  const schema = withoutGroups(loadSchema(), without);
  refuse([
    ...missingControls(policySet, required),
    ...forbiddenHolds(policySet),
    ...policySet.controls.flatMap((control) => stageProblems(schema, control)),
    ...policySet.controls.flatMap((control) => unknownNames(references, control)),
    ...policySet.controls.flatMap(whenProblems),
  ]);
  refuse(validate(schema, policySet));
  const questions = questionsOf(policySet, references);
  const candidate = prepareCandidate(policySet);
  refuse(findOpenOnEmptyFacts(candidate, questions, required));
  refuse(findUnliftable(candidate, questions));
  refuse(findWeakened(policySet));
  return compile(text, schema, without, policySet);
}

export function compiledBundle(bundle: Bundle): CompiledBundle {
  const compiled = compiledBundles.get(bundle);
  if (compiled === undefined) {
    throw new SallyportError('policy', 'these policies were not loaded by loadBundle or loadRecordedBundle');
  }
  return compiled;
}

function compile(
  text: string,
  schema: Schema,
  without: readonly Group[],
  { permit, controls }: PolicySet,
): Bundle {
  const digest = createHash('sha256').update(text).digest('hex');
  const policies = [permit, ...controls];
  preparePolicies(digest, textsById(policies));
  const bundle = Object.freeze({
    digest,
    text,
    controls: Object.freeze(
      controls.map(({ id, title, liftable, text: policy }) =>
        Object.freeze({ id, title, liftable, text: policy }),
      ),
    ),
  });
  compiledBundles.set(bundle, {
    policies: digest,
    groupsOf: schema.groupsOf,
    without: new Set(without),
    projection: project(
      digest,
      schema,
      policies.map(({ reading }) => reading),
    ),
    titles: new Map(policies.map(({ id, title }) => [id, title])),
    liftable: new Set(controls.filter(({ liftable }) => liftable).map(({ id }) => id)),
    memo: new Memo(rememberedFindings),
  });
  return bundle;
}

function validate(schema: Schema, { permit, controls }: PolicySet): string[] {
  return validatePolicies(schema.text, textsById([permit, ...controls])).map(
    ({ id, message }) => `${id}: ${message}`,
  );
}

function textsById(policies: readonly Policy[]): Record<string, string> {
  return Object.fromEntries(policies.map(({ id, text }) => [id, text]));
}

/** A bundle with its permit but without its controls would be an open door. */
function missingControls({ controls }: PolicySet, required: readonly RequiredControl[]): string[] {
  const present = new Set(controls.map(({ id }) => id));
  return required
    .filter(({ id }) => !present.has(id))
    .map(({ id }) => `the required control ${id} is missing: take it from the default policies`);
}

/** Which of the required controls an operator may lift is compiled in; of the operator's own, the operator says. */
function forbiddenHolds({ controls }: PolicySet): string[] {
  const fixed = new Set(controlTable.filter(({ liftable }) => !liftable).map(({ id }) => id));
  return controls
    .filter(({ id, liftable }) => liftable && fixed.has(id))
    .map(({ id }) => `${id} must not carry @hold: no operator may lift it`);
}

/** Rule 4: facts of a later stage are unknown at an earlier one, where such a control would refuse everyone. */
function stageProblems(schema: Schema, { id, reading }: Policy): string[] {
  return reading.actions.flatMap((action) =>
    [...reading.groups]
      .filter((group) => !schema.groupsOf[action].some((offered) => offered === group))
      .map((group) => `${id} reads ${group}, of which ${action} knows nothing: name the actions it is for`),
  );
}

/** A control for a misspelled template would protect nothing. */
function unknownNames(references: References, { id, reading }: Policy): string[] {
  return reading.entities
    .filter(({ type, id: name }) => !namesOf(references)[type]?.includes(name))
    .map(({ type, id: name }) => `${id} names ${type}::"${name}", which is not configured`);
}

/** Rule 1: `when { context has evidence && !context.evidence.verified }` is silent where there is no evidence at all. */
function whenProblems({ id, reading }: Policy): string[] {
  return reading.whenReadsFacts
    ? [`${id} reads facts in "when": say there whom it is about, and in "unless" what must be proven`]
    : [];
}
