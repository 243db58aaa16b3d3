import { type Bundle, type Facts, judge } from '#policy';

/** Would there be an objection without the approval? Then its certificate uses it up; what does not need it leaves it open. */
export function needsApproval(facts: Facts, bundle: Bundle): boolean {
  const { approval } = facts.context;
  if (!approval?.granted || approval.lifts.length === 0) return false;
  const without = { ...facts.context, approval: { ...approval, granted: false, lifts: [] } };
  return judge(bundle, { ...facts, context: without }).decision !== 'allow';
}
