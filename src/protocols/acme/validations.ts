import { setTimeout } from 'node:timers/promises';
import { newEntry, supportCode } from '#enrollment';
import { isSallyportError } from '#errors';
import { type ProblemDocument, type ProblemType, typeOf } from './problems.ts';
import type { AcmePorts } from './ports.ts';
import type { AcmeStore, StoredAccount, StoredAuthorization } from './store.ts';

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

/** A node that validates has this long before another one does. No try begins in the second half of it, and none takes that long. */
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
  /** By their id, each until its lease ends: then any node takes it over. */
  readonly #waiting = new Map<
    string,
    { readonly authorization: StoredAuthorization; readonly until: number }
  >();
  readonly #ofAccount = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Begins, or puts it in line: what was taken is worked on until its lease ends. */
  begin(authorization: StoredAuthorization, until: number): void {
    const { id, account } = authorization;
    if (this.#running.has(id)) return;
    if (!this.#hasRoom(account)) {
      this.#waiting.set(id, { authorization, until });
      return;
    }
    this.#ofAccount.set(account, (this.#ofAccount.get(account) ?? 0) + 1);
    const done = this.#run(authorization, until)
      .catch((error: unknown) => this.#ports.report({ id: `authorization ${id}`, error }))
      .finally(() => {
        this.#running.delete(id);
        const left = (this.#ofAccount.get(account) ?? 1) - 1;
        if (left === 0) this.#ofAccount.delete(account);
        else this.#ofAccount.set(account, left);
        this.#goOn();
      });
    this.#running.set(id, done);
  }

  #hasRoom(account: string): boolean {
    return this.#running.size < atOnce && (this.#ofAccount.get(account) ?? 0) < atOnceOfAccount;
  }

  #goOn(): void {
    const now = this.#ports.now();
    for (const [id, { authorization, until }] of this.#waiting) {
      if (this.#running.size >= atOnce) return;
      if (until > now && !this.#hasRoom(authorization.account)) continue;
      this.#waiting.delete(id);
      if (until > now) this.begin(authorization, until);
    }
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

  /** What a node began that is there no more, as far as there is room here. Returns how many. */
  async takeOver(): Promise<number> {
    const { store, now } = this.#ports;
    const due = await store.dueAuthorizations(now(), dueAtOnce);
    let taken = 0;
    for (const authorization of due) {
      // Another node may have room.
      if (!this.#hasRoom(authorization.account)) continue;
      const dueAt = now() + validationLeaseMilliseconds;
      if (!(await store.takeDue({ id: authorization.id, now: now(), dueAt }))) continue;
      taken += 1;
      this.begin(authorization, dueAt);
    }
    return taken;
  }

  async #run(authorization: StoredAuthorization, until: number): Promise<void> {
    const { store, now } = this.#ports;
    const account = await store.account(authorization.account);
    if (account === null) return;
    let outcome = await this.#look(authorization, account);
    for (const pause of pausesMilliseconds) {
      if (outcome === null || outcome.valid || !outcome.transient) break;
      await setTimeout(pause, undefined, { ref: false });
      if (now() > until - validationLeaseMilliseconds / 2) break;
      outcome = await this.#look(authorization, account);
    }
    if (outcome !== null) await this.#record(authorization, account.key.device, outcome);
  }

  /** null: this process stood still meanwhile. What it saw is of then, and is looked for again. */
  async #look(
    authorization: StoredAuthorization,
    { thumbprint, status, key }: StoredAccount,
  ): Promise<ValidationOutcome | null> {
    const { validate, now } = this.#ports;
    if (status !== 'valid' || key.state !== 'spent') {
      const detail = 'the account ended';
      return { valid: false, problem: 'unauthorized', detail, transient: false, addresses: [] };
    }
    const begun = now();
    const outcome = await validate(authorization, thumbprint);
    return now() - begun < validationLeaseMilliseconds ? outcome : null;
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
    const problem: ProblemDocument | null = outcome.valid
      ? null
      : { type: typeOf(outcome.problem), detail: outcome.detail };
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
      event: outcome.valid ? 'authorization.valid' : 'authorization.invalid',
      detail,
    } as const;
    const expiresAt = outcome.valid ? time + lifetime * 1000 : authorization.expiresAt;
    try {
      await store.validated({ id, problem, expiresAt, now: time, entry: newEntry(entry, random) });
    } catch (error) {
      // Deactivated on the way, or another node was first.
      if (!isSallyportError(error, 'conflict')) throw error;
    }
  }
}
