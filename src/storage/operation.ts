import type { AnyStatement, Statement } from './statement.ts';

/** One step of an operation: a statement, its parameters, and what is wanted of it. */
export interface Step {
  readonly statement: AnyStatement;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly want: 'rows' | 'row' | 'changes';
}

/**
 * What is done to the database, as a row of steps. Whoever drives it answers each step, at once or later: the same text serves
 * a database in the process and one over the network. A failing step ends the operation, and what it throws undoes it as a
 * whole: 'conflict' for a row that a unique index refuses, 'not-found' for a reference to a row that is not there, 'store' for
 * any other refusal of the database.
 */
export type Operation<Result> = Generator<Step, Result, unknown>;

export function* all<Parameters extends object, Row>(
  statement: Statement<Parameters, Row>,
  parameters: Parameters,
): Operation<readonly Row[]> {
  return (yield { statement, parameters: parameters as Step['parameters'], want: 'rows' }) as readonly Row[];
}

export function* first<Parameters extends object, Row>(
  statement: Statement<Parameters, Row>,
  parameters: Parameters,
): Operation<Row | undefined> {
  return (yield { statement, parameters: parameters as Step['parameters'], want: 'row' }) as Row | undefined;
}

/** The number of rows that the statement changed. */
export function* run<Parameters extends object>(
  statement: Statement<Parameters, unknown>,
  parameters: Parameters,
): Operation<number> {
  return (yield { statement, parameters: parameters as Step['parameters'], want: 'changes' }) as number;
}
