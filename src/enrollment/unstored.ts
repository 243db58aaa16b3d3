import { isSallyportError, type SallyportError } from '#errors';
import type { Verdict } from '#policy';
import type { Decided } from './decided.ts';
import type { Derivation } from './derive.ts';
import { needsApproval } from './needs-approval.ts';

/** A certificate that was signed and not stored, since what it was judged by had ended meanwhile. Its intent is open until the sweep revokes it. */
export class Unstored {
  readonly #error: SallyportError;
  readonly #tookApproval: boolean;

  /** Throws what is no conflict. */
  constructor(error: unknown, { facts, authority }: Decided) {
    if (!isSallyportError(error, 'conflict')) throw error;
    this.#error = error;
    this.#tookApproval = needsApproval(facts, authority.bundle);
  }

  /**
   * What is judged now is told to who asked where it owes nothing to that intent: the approval that it has in hand, what it has spent of limits, its key. Anything else
   * throws the conflict, and is asked again when the intent is over.
   */
  demandApart({ decision, objections }: Verdict, { issued }: Derivation): void {
    const isApart =
      decision === 'allow'
        ? issued !== null
        : decision === 'hold'
          ? objections.every(({ control }) => control === 'renewal-lineage')
          : !objections.some(({ control }) => /^rate-|^challenge-limit$|^key-unshared$/.test(control));
    if (!isApart || (this.#tookApproval && decision !== 'allow')) throw this.#error;
  }
}
