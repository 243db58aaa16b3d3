import type { Template } from '#ca';
import type { Context } from '#policy';
import type { WorkflowObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/** Which workflows of the template have agreed, for the device that is observed. */
export function deriveWorkflow(
  workflows: readonly WorkflowObservation[] | undefined,
  template: Template | undefined,
): Finding<NonNullable<Context['workflow']>> {
  const wanted = template?.workflows ?? [];
  const problems = wanted.flatMap((name) => {
    const observed = workflows?.find((each) => each.name === name);
    if (observed === undefined) {
      return [`workflow ${name} was not asked: other things stand against the request`];
    }
    if (observed.decision !== 'agreed') return [`workflow ${name}: ${observed.decision} (${observed.code})`];
    return observed.device === 'other' ? [`workflow ${name} speaks of another device`] : [];
  });
  const agreed = wanted.length > 0 && problems.length === 0;
  return new Finding({ required: wanted.length > 0 || template === undefined, agreed }).because(
    'workflow-agreed',
    agreed || wanted.length === 0,
    problems.join('; '),
  );
}
