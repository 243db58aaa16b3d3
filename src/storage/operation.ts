import type { AnyStatement, Statement } from './statement.ts';

/** One step of an operation: a statement, its parameters, and what is wanted of it. */
export interface Step {
  readonly statement: AnyStatement;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly want: 'rows' | 'row' | 'changes';
}

/**
 * What is done to the database, as a row of steps. Whoever drives it answers each step, at once or later: the same text serves
 * a database in the process and one over the network. Several steps at once are done in their order, and answered by as many answers. A failing step ends the operation, and what it throws undoes it as a
 * whole: 'conflict' for a row that a unique index refuses, 'not-found' for a reference to a row that is not there, 'store' for
 * any other refusal of the database.
 */
export type Operation<Result> = Generator<Step | readonly Step[], Result, unknown>;

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

/**
 * Operations none of which needs what another finds or does, as one: the first steps of all of them are asked at once, then the second ones.
 * Over a network that is one way there and back instead of many. The first that throws, in their order, ends all of them. The results, with
 * null for null.
 */
export function* together<const Operations extends readonly (Operation<unknown> | null)[]>(
  ...operations: Operations
): Operation<Results<Operations>> {
  const results: unknown[] = operations.map(() => null);
  let open: Waiting[] = [];
  const goOn = (at: number, operation: Operation<unknown>, answer?: unknown) => {
    const { done, value } = operation.next(answer);
    if (done === true) results[at] = value;
    else open.push({ at, operation, asks: value });
  };
  for (const [at, operation] of operations.entries()) if (operation !== null) goOn(at, operation);
  while (open.length > 0) {
    const waiting = open;
    open = [];
    const answers = (yield waiting.flatMap(({ asks }) => asks)) as readonly unknown[];
    let next = 0;
    for (const { at, operation, asks } of waiting) {
      const single = 'statement' in asks;
      goOn(at, operation, single ? answers[next] : answers.slice(next, next + asks.length));
      next += single ? 1 : asks.length;
    }
  }
  return results as Results<Operations>;
}

interface Waiting {
  readonly at: number;
  readonly operation: Operation<unknown>;
  readonly asks: Step | readonly Step[];
}

type Results<Operations extends readonly unknown[]> = {
  [At in keyof Operations]: Operations[At] extends infer Each ? ResultOf<Each> : never;
};

type ResultOf<Each> = Each extends Operation<infer Result> ? Result : null;
