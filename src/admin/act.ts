import type * as z from 'zod';
import type { Operator } from './operator.ts';
import type { AdminPorts } from './ports.ts';

/** Something an operator can ask of the running authority. Input and result are plain JSON. */
export interface Act<Input extends z.ZodType, Result> {
  readonly input: Input;
  readonly run: (ports: AdminPorts, operator: Operator, input: z.output<Input>) => Promise<Result>;
}

export function act<Input extends z.ZodType, Result>(
  input: Input,
  run: Act<Input, Result>['run'],
): Act<Input, Result> {
  return { input, run };
}
