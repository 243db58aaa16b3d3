import { type Bundle, type CompiledBundle, compiledBundle } from './bundle.ts';
import { ask } from './cedar.ts';
import type { Context, Facts, Verdict } from './facts.ts';
import { permitId } from './policy-set.ts';
import { memoKey } from './projection.ts';
import { type Group, schemaName } from './schema.ts';
import { type Finding, type FoundObjection, pronounce } from './verdict.ts';

/**
 * Pure: the same facts and bundle give the same verdict, here and at a replay years later. No clock, no randomness, no
 * I/O. Never throws for facts, whatever they hold: what cannot be judged is denied.
 */
export function judge(bundle: Bundle, facts: Facts): Verdict {
  const compiled = compiledBundle(bundle);
  const key = memoKey(compiled.projection, facts);
  const finding =
    key === null ? find(compiled, facts) : compiled.memo.recall(key, () => find(compiled, facts));
  return pronounce(finding, facts);
}

/** Facts as they were derived when such policies were in force: without what came with controls that they do not have. */
export function factsAsOf(bundle: Bundle, facts: Facts): Facts {
  const { without } = compiledBundle(bundle);
  const known = Object.entries(facts.context).filter(([group]) => !without.has(group as Group));
  return { ...facts, context: Object.fromEntries(known) };
}

/** The judge without its memory. */
export function judgeUnremembered(bundle: Bundle, facts: Facts): Verdict {
  return pronounce(find(compiledBundle(bundle), facts), facts);
}

function find(compiled: CompiledBundle, facts: Facts): Finding {
  const answer = ask(schemaName, compiled.policies, facts);
  const strangers = strangeGroups(compiled, facts);
  if (answer.type === 'failure' || strangers.length > 0) {
    return { decision: 'deny', objections: [unevaluable(facts, strangers)] };
  }

  const missing = missingGroups(compiled, facts);
  const objections = [
    ...answer.objecting.map((id) => objection(compiled, id)),
    ...answer.errors.map((id) => failedControl(compiled, id)),
    ...(missing.length > 0 ? [incomplete(missing)] : []),
  ];
  if (objections.length === 0) {
    if (!answer.permitting.includes(permitId)) return { decision: 'deny', objections: [notPermitted] };
    return { decision: 'allow', objections };
  }
  if (!objections.every(({ liftable }) => liftable)) {
    return { decision: 'deny', objections: objections.sort(byControl) };
  }
  // Nobody waits for what was decided already.
  const undecided = facts.context.approval?.denied === false;
  return {
    decision: undecided ? 'hold' : 'deny',
    objections: (undecided ? objections : [...objections, deniedBefore]).sort(byControl),
  };
}

function objection({ titles, liftable }: CompiledBundle, id: string): FoundObjection {
  return { control: id, title: titles.get(id) ?? id, detail: null, liftable: liftable.has(id) };
}

/** Cedar's own words are left out: they change between its versions, and a verdict must not. */
function failedControl({ titles }: CompiledBundle, id: string): FoundObjection {
  const detail = 'This control could not be evaluated, so nothing is proven. Its policy must be mended.';
  return { control: id, title: titles.get(id) ?? id, detail, liftable: false };
}

/** Everything the schema offers to the action must have been observed before anyone decides, an operator included. */
function missingGroups({ groupsOf }: CompiledBundle, { action, context }: Facts): Group[] {
  return groupsOf[action].filter((group) => context[group] === undefined && !isDispensable(group, context));
}

/** One of these suffices. */
const credentials: readonly Group[] = ['secret', 'challenge', 'identity'];

/** One who presents a credential needs no other kind of it; an account and verified evidence authenticate too. */
function isDispensable(group: Group, context: Context): boolean {
  if (!credentials.includes(group)) return false;
  return (
    credentials.some((each) => context[each] !== undefined) ||
    context.account?.presented === true ||
    context.evidence?.verified === true
  );
}

function incomplete(missing: readonly Group[]): FoundObjection {
  return {
    control: 'incomplete',
    title: 'Everything that the action demands must have been observed',
    detail: `Nothing is known of: ${missing.join(', ')}`,
    liftable: false,
  };
}

/** Cedar is asked by the schema of today: of recorded policies it knows more groups than they do. */
function strangeGroups({ groupsOf }: CompiledBundle, { action, context }: Facts): string[] {
  const offered: readonly string[] = Object.hasOwn(groupsOf, action) ? groupsOf[action] : [];
  return Object.keys(context).filter((group) => !offered.includes(group));
}

function unevaluable({ action }: Facts, strangers: readonly string[]): FoundObjection {
  const why = strangers.length > 0 ? `: ${action} knows nothing of ${strangers.join(', ')}` : '';
  return {
    control: 'unevaluable',
    title: 'The facts must fit the schema of the policies',
    detail: `The facts do not fit the schema${why}`,
    liftable: false,
  };
}

const deniedBefore: FoundObjection = {
  control: 'denied',
  title: 'A request that an operator denied does not wait again',
  detail: null,
  liftable: false,
};

const notPermitted: FoundObjection = {
  control: 'not-permitted',
  title: 'The permit must apply',
  detail: null,
  liftable: false,
};

function byControl(a: FoundObjection, b: FoundObjection): number {
  if (a.control === b.control) return 0;
  return a.control < b.control ? -1 : 1;
}
