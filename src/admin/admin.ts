import type * as z from 'zod';
import type { Act } from './act.ts';
import { acts, type ActInput, type ActName, type ActResult } from './acts.ts';
import { newId } from './identifiers.ts';
import { type LogDocument, logDocument } from './log-document.ts';
import { hashOperatorToken, type Operator } from './operator.ts';
import { parseInput } from './parse-input.ts';
import type { AdminPorts } from './ports.ts';

/** The running authority, as operators have it. */
export interface Admin {
  /** Whose token it is; null: nobody's. */
  recognise(token: string): Promise<Operator | null>;
  /**
   * Does the act and logs it under the operator's name in the same transaction. Throws SallyportError: 'usage' where the
   * input is wrong, 'not-found', 'conflict', 'forbidden', …; then nothing was changed.
   */
  perform<Name extends ActName>(
    name: Name,
    operator: Operator,
    input: ActInput<Name>,
  ): Promise<ActResult<Name>>;
  /** What a tiled log (C2SP tlog-tiles) has at this path below its prefix; null: nothing. It holds personal data: for operators only. */
  logDocument(path: string): Promise<LogDocument | null>;
  /** Reports what was no refusal but a fault of ours. Returns the id by which it can be found. */
  fault(error: unknown): string;
}

export function createAdmin(ports: AdminPorts): Admin {
  return {
    async recognise(token) {
      return ports.store.operatorByTokenHash(hashOperatorToken(token));
    },
    async perform(name, operator, input) {
      // The table has one type a name; which of them this is, the compiler cannot follow.
      const { input: schema, run } = acts[name] as unknown as Act<z.ZodType, ActResult<typeof name>>;
      return run(ports, operator, parseInput(schema, input));
    },
    logDocument: (path) => logDocument(ports, path),
    fault(error) {
      const id = newId('fault', ports.random);
      ports.report({ id, error });
      return id;
    },
  };
}
