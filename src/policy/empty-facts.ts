import type { Candidate } from './candidate.ts';
import type { RequiredControl } from './controls.ts';
import { describeQuestion, type Question } from './questions.ts';

/**
 * Rules 1 and 3: asked with facts that prove nothing, every required control must object, and so must every other
 * control, wherever it applies.
 */
export function findOpenOnEmptyFacts(
  candidate: Candidate,
  questions: readonly Question[],
  required: readonly RequiredControl[],
): string[] {
  const silent = new Map<string, Question>();
  for (const question of questions) {
    const objecting = candidate.objecting(question, {});
    const demanded = required.filter(({ actions }) => actions.includes(question.action)).map(({ id }) => id);
    for (const id of [...demanded, ...candidate.applying(question)]) {
      if (!objecting.has(id) && !silent.has(id)) silent.set(id, question);
    }
  }
  return [...silent].map(
    ([id, question]) =>
      `${id} does not object when nothing is known (${describeQuestion(question)}): ` +
      'write it as forbid … unless { what must be proven }',
  );
}
