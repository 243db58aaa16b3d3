import type { Candidate } from './candidate.ts';
import type { Context } from './facts.ts';
import { describeQuestion, type Question } from './questions.ts';
import { loadSchema } from './schema.ts';

/**
 * A control with @hold must yield to a granted approval that lifts it by its own id, or requests would wait for ever,
 * and to nothing less.
 */
export function findUnliftable(candidate: Candidate, questions: readonly Question[]): string[] {
  const problems = new Map<string, string>();
  for (const question of questions) {
    const applying = candidate.applying(question);
    for (const id of candidate.liftable) {
      if (problems.has(id) || !applying.has(id)) continue;
      const problem = liftingProblem(candidate, question, id);
      if (problem !== null) problems.set(id, `${id} ${problem} (${describeQuestion(question)})`);
    }
  }
  return [...problems.values()];
}

function liftingProblem(candidate: Candidate, question: Question, id: string): string | null {
  if (!loadSchema().groupsOf[question.action].includes('approval')) {
    return 'carries @hold, but applies where no approval is known';
  }
  const objects = (approval: NonNullable<Context['approval']>): boolean =>
    candidate.objecting(question, { approval }).has(id);
  // Loosened by the operator for this question: there is nothing to lift.
  if (!objects({ required: true, granted: false, lifts: [], denied: false })) return null;
  const others = candidate.liftable.filter((other) => other !== id);
  if (objects({ required: true, granted: true, lifts: [id], denied: false })) {
    return `carries @hold, but an approval does not lift it: add to its unless || (${clause(id)})`;
  }
  if (!objects({ required: true, granted: false, lifts: [id], denied: false })) {
    return `is lifted by an approval that was not granted: write (${clause(id)})`;
  }
  if (!objects({ required: true, granted: true, lifts: others, denied: false })) {
    return `is lifted by an approval that does not name it: write (${clause(id)})`;
  }
  return null;
}

function clause(id: string): string {
  return `context has approval && context.approval.granted && context.approval.lifts.contains("${id}")`;
}
