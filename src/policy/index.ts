export { type Bundle, type Control, loadBundle, loadRecordedBundle } from './bundle.ts';
export { requiredControls } from './controls.ts';
export { defaultPolicies } from './default-policies.ts';
export { actions, type Action, type Context, type Facts, type Objection, type Verdict } from './facts.ts';
export { factsAsOf, judge, judgeUnremembered } from './judge.ts';
export type { References } from './questions.ts';
export { judgedBy, type Judged } from './verdict.ts';
