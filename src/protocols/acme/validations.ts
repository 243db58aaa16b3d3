import { setTimeout } from 'node:timers/promises';
import { newEntry, supportCode } from '#enrollment';
import { isSallyportError } from '#errors';
import { type ProblemDocument, type ProblemType, typeOf } from './problems.ts';
import type { AcmePorts } from './ports.ts';
import type { AcmeStore, StoredAuthorization } from './store.ts';

/** What was seen of one challenge. */
export type ValidationOutcome =
  | { readonly valid: true; readonly addresses: readonly string[] }
  | {
      readonly valid: false;
      readonly problem: ProblemType;
      readonly detail: string;
      /** It may be otherwise in a moment: DNS that lags, a server that is starting. */
      readonly transient: boolean;
      readonly addresses: readonly string[];
    };

type Ports = Pick<AcmePorts, 'authority' | 'now' | 'random' | 'validate' | 'report'> & {
  readonly store: Pick<AcmeStore, 'account' | 'validated' | 'takeDue' | 'dueAuthorizations'>;
};

/** A node that validates has this long before another one does: more than all tries of one take. */
export const validationLeaseMilliseconds = 120_000;
const pausesMilliseconds = [1_000, 3_000];
const atOnce = 64;
/** One account waits for itself, and not others for it. */
const atOnceOfAccount = 16;
const dueAtOnce = 32;

/** Looks for the proofs that clients say are there, and writes down what was seen. What a crash broke off, any node goes on with. */
export class Validations {
  readonly #ports: Ports;
  readonly #running = new Map<string, Promise<void>>();
  /** In line, by id. */
  readonly #waiting = new Map<string, StoredAuthorization>();
  readonly #ofAccount = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Begins, or puts it in line. */
  begin(authorization: StoredAuthorization): void {
    if (this.#running.has(authorization.id)) return;
    const own = this.#ofAccount.get(authorization.account) ?? 0;
    if (this.#running.size >= atOnce || own >= atOnceOfAccount) {
      this.#waiting.set(authorization.id, authorization);
      return;
    }
    this.#ofAccount.set(authorization.account, own + 1);
    const { id, account } = authorization;
    const done = this.#run(authorization)
      .catch((error: unknown) => this.#ports.report({ id: `authorization ${id}`, error }))
      .finally(() => {
        this.#running.delete(id);
        const left = (this.#ofAccount.get(account) ?? 1) - 1;
        if (left === 0) this.#ofAccount.delete(account);
        else this.#ofAccount.set(account, left);
        this.#beginWaiting();
      });
    this.#running.set(id, done);
  }

  #beginWaiting(): void {
    const inLine = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const next of inLine) this.begin(next);
  }

  /** Until it is done, and not for longer: most proofs are there at once, and their clients need not poll. */
  async wait(id: string, milliseconds: number): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    const ended = new AbortController();
    await Promise.race([
      running.finally(() => ended.abort()),
      setTimeout(milliseconds, undefined, { signal: ended.signal, ref: false }).catch(() => undefined),
    ]);
  }

  /** What a node began that is there no more. Returns how many. */
  async takeOver(): Promise<number> {
    const { store, now } = this.#ports;
    const due = await store.dueAuthorizations(now(), dueAtOnce);
    for (const authorization of due) {
      const taken = { id: authorization.id, now: now(), dueAt: now() + validationLeaseMilliseconds };
      if (await store.takeDue(taken)) this.begin(authorization);
    }
    return due.length;
  }

  async #run(authorization: StoredAuthorization): Promise<void> {
    const { store, validate } = this.#ports;
    const account = await store.account(authorization.account);
    if (account === null) return;
    let outcome = await validate(authorization, account.thumbprint);
    for (const pause of pausesMilliseconds) {
      if (outcome.valid || !outcome.transient) break;
      await setTimeout(pause, undefined, { ref: false });
      outcome = await validate(authorization, account.thumbprint);
    }
    await this.#record(authorization, account.key.device, outcome);
  }

  async #record(
    authorization: StoredAuthorization,
    device: string,
    outcome: ValidationOutcome,
  ): Promise<void> {
    const { store, authority, now, random } = this.#ports;
    const { id, account, template, type, value, wildcard, method, request } = authorization;
    const lifetime = authority().references.templates[template]?.acme?.authorizationSeconds ?? 0;
    const time = now();
    const problem = problemOf(outcome, time >= authorization.expiresAt);
    const detail = {
      authorization: id,
      account,
      device,
      identifier: { type, value },
      wildcard,
      method,
      request,
      addresses: outcome.addresses,
      ...(problem === null ? {} : { problem }),
    };
    const entry = {
      type: 'authority',
      version: 2,
      id: `V${supportCode(random).slice(1)}`,
      time,
      event: problem === null ? 'authorization.valid' : 'authorization.invalid',
      detail,
    } as const;
    const expiresAt = problem === null ? time + lifetime * 1000 : authorization.expiresAt;
    try {
      await store.validated({ id, problem, expiresAt, now: time, entry: newEntry(entry, random) });
    } catch (error) {
      // Deactivated on the way, or another node was first.
      if (!isSallyportError(error, 'conflict')) throw error;
    }
  }
}

/** Of one that nobody proved in time it was told that it is invalid, and that is its end (RFC 8555 section 7.1.6). */
function problemOf(outcome: ValidationOutcome, isLate: boolean): ProblemDocument | null {
  if (!outcome.valid) return { type: typeOf(outcome.problem), detail: outcome.detail };
  return isLate ? { type: typeOf('unauthorized'), detail: 'the authorization has expired' } : null;
}
