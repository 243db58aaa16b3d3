import type { Blob, NewEntry } from '#audit';
import { isSallyportError, SallyportError } from '#errors';
import { type Facts, judge, type Verdict } from '#policy';
import type { Authority } from './authority.ts';
import { derive } from './derive.ts';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import type { Outcome, RequestEntry } from './entry.ts';
import { keepEvidence } from './kept-request.ts';
import { newEntry } from './personal-fields.ts';
import type { Admission, Answer } from './request.ts';
import { atAdmission, entryOf } from './request-entry.ts';
import type { LogPosition } from './store.ts';

export const retryAfterFaultSeconds = 5;

/** What was admitted, and asked for no certificate, or for none that could be decided about. */
export class Records {
  readonly #ports: EnrollmentPorts;

  constructor(ports: EnrollmentPorts) {
    this.#ports = ports;
  }

  /** null: it is recorded. */
  async conclude(
    admission: Admission,
    outcome: Outcome,
    error: SallyportError | null,
    detail?: Readonly<Record<string, unknown>>,
  ): Promise<Answer | null> {
    try {
      await this.#ports.store.record(this.admitted(admission, outcome, error, detail));
      return null;
    } catch (fault) {
      return this.failed(admission, fault);
    }
  }

  admitted(
    admission: Admission,
    outcome: Outcome,
    error: SallyportError | null,
    detail?: Readonly<Record<string, unknown>>,
    evidence: Uint8Array | null = null,
  ): NewEntry {
    const authority = this.#ports.authority();
    const time = this.#ports.clock.now();
    const { facts, verdict } = judgeAdmission(admission, authority, time);
    const entry = entryOf(admission, atAdmission(admission), facts, verdict, authority, time, outcome);
    const told = error && { code: error.code, message: error.message };
    const whole = { ...entry, error: told, ...(detail === undefined ? {} : { detail }) };
    if (evidence === null) return this.newEntry(whole);
    const keeping = keepEvidence(evidence, this.#ports.random);
    return this.newEntry({ ...whole, ...keeping.naming }, { keeping });
  }

  /** Fail closed: whatever went wrong, the client gets nothing and may ask again. The log says so, if it can be written. */
  async failed(admission: Admission, fault: unknown): Promise<Answer> {
    const { id } = admission;
    this.#ports.report({ id, error: fault });
    const words = 'a fault of the authority; its standard error has it under this id';
    const error = isSallyportError(fault) ? fault : new SallyportError('internal', words);
    try {
      await this.#ports.store.record(this.admitted(admission, 'failed', error));
    } catch {
      // It was reported.
    }
    return { outcome: 'failed', id, retryAfterSeconds: retryAfterFaultSeconds };
  }

  record(entry: RequestEntry): Promise<LogPosition> {
    return this.#ports.store.record(this.newEntry(entry));
  }

  /** `asked` where the entry tells of a request that was read. */
  newEntry(entry: RequestEntry, asked?: { readonly keeping: { readonly blob: Blob } | null }): NewEntry {
    return newEntry(entry, this.#ports.random, asked?.keeping?.blob);
  }
}

export function judgeAdmission(
  admission: Admission,
  authority: Authority,
  time: number,
): { facts: Facts; verdict: Verdict } {
  const { facts } = derive(atAdmission(admission), authority.references, 'admit', time);
  return { facts, verdict: judge(authority.bundle, facts) };
}
