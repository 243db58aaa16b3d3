import { setTimeout as pause } from 'node:timers/promises';
import { newEntry, supportCode } from '#enrollment';
import { isSallyportError } from '#errors';
import { hasPower, ownerOf } from './message.ts';
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
  readonly store: Pick<
    AcmeStore,
    'account' | 'authorization' | 'validated' | 'takeDue' | 'dueAuthorizations'
  >;
};

/** A node that validates has this long before another one does. No try begins in the second half of it, and none takes that long. */
export const validationLeaseMilliseconds = 120_000;
const pausesMilliseconds = [1_000, 3_000];
const atOnce = 64;
/** One account waits for itself, and not others for it. */
const atOnceOfAccount = 16;
const dueAtOnce = 32;

interface Waiting {
  readonly authorization: StoredAuthorization;
  readonly until: number;
  /** Its turn came, or never will. */
  readonly turn: PromiseWithResolvers<void>;
}

/** Looks for the proofs that clients say are there, and writes down what was seen. What a crash broke off, any node goes on with. */
export class Validations {
  readonly #ports: Ports;
  readonly #running = new Map<string, Promise<StoredAuthorization | null>>();
  /** By their id, each until its lease ends: then any node takes it over. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #ofAccount = new Map<string, number>();
  /** Until when each is this node's. */
  readonly #brokenOff = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Begins, or puts it in line: what was taken is worked on until its lease ends. `seen`: its account, if that was read just now. */
  begin(authorization: StoredAuthorization, until: number, seen: StoredAccount | null = null): void {
    const { id, account } = authorization;
    if (this.#running.has(id)) return;
    if (!this.#hasRoom(account)) {
      const turn = this.#waiting.get(id)?.turn ?? Promise.withResolvers<void>();
      this.#waiting.set(id, { authorization, until, turn });
      return;
    }
    this.#ofAccount.set(account, (this.#ofAccount.get(account) ?? 0) + 1);
    const done = this.#run(authorization, until, seen)
      .catch((error: unknown) => {
        this.#ports.report({ id: `authorization ${id}`, error });
        this.breakOff(id, until);
        return null;
      })
      .finally(() => {
        this.#running.delete(id);
        const left = (this.#ofAccount.get(account) ?? 1) - 1;
        if (left === 0) this.#ofAccount.delete(account);
        else this.#ofAccount.set(account, left);
        this.#goOn();
      });
    this.#running.set(id, done);
  }

  /** Nobody knows what the store has of it: this node goes on once it answers, and no client waits for the lease to end. */
  breakOff(id: string, until: number): void {
    this.#brokenOff.set(id, until);
  }

  #hasRoom(account: string): boolean {
    return this.#running.size < atOnce && (this.#ofAccount.get(account) ?? 0) < atOnceOfAccount;
  }

  #goOn(): void {
    const now = this.#ports.now();
    for (const [id, { authorization, until, turn }] of this.#waiting) {
      if (this.#running.size >= atOnce) return;
      if (until > now && !this.#hasRoom(authorization.account)) continue;
      this.#waiting.delete(id);
      if (until > now) this.begin(authorization, until);
      turn.resolve();
    }
  }

  /**
   * Until it is done, and not for longer: most proofs are there at once, and their clients need not poll. The authorization as it is then; null: that is for the
   * store to say.
   */
  async wait(id: string, milliseconds: number): Promise<StoredAuthorization | null> {
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), milliseconds).unref();
    return Promise.race([this.#ended(id), late]).finally(() => clearTimeout(timer));
  }

  async #ended(id: string): Promise<StoredAuthorization | null> {
    await this.#waiting.get(id)?.turn.promise;
    return (await this.#running.get(id)) ?? null;
  }

  /** What this node broke off, and what one began that is there no more, as far as there is room here. Returns how many. */
  async takeOver(): Promise<number> {
    const { store, now } = this.#ports;
    let taken = await this.#resume();
    const due = await store.dueAuthorizations(now(), dueAtOnce);
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

  async #resume(): Promise<number> {
    const { store, now } = this.#ports;
    let resumed = 0;
    for (const [id, until] of this.#brokenOff) {
      const authorization = await store.authorization(id);
      this.#brokenOff.delete(id);
      if (now() >= until || authorization?.status !== 'pending' || authorization.method === null) continue;
      resumed += 1;
      this.begin(authorization, until);
    }
    return resumed;
  }

  async #run(
    authorization: StoredAuthorization,
    until: number,
    seen: StoredAccount | null,
  ): Promise<StoredAuthorization | null> {
    const { store, now } = this.#ports;
    const account = seen ?? (await store.account(authorization.account));
    if (account === null) return null;
    let outcome = await this.#look(authorization, account);
    for (const milliseconds of pausesMilliseconds) {
      if (outcome === null || outcome.valid || !outcome.transient) break;
      await pause(milliseconds, undefined, { ref: false });
      if (now() > until - validationLeaseMilliseconds / 2) break;
      outcome = await this.#look(authorization, account);
    }
    return outcome === null ? null : this.#record(authorization, account, outcome);
  }

  /** null: this process stood still meanwhile. What it saw is of then, and is looked for again. */
  async #look(authorization: StoredAuthorization, account: StoredAccount): Promise<ValidationOutcome | null> {
    const { validate, now } = this.#ports;
    if (!hasPower(account)) {
      const detail = 'the account ended';
      return { valid: false, problem: 'unauthorized', detail, transient: false, addresses: [] };
    }
    const begun = now();
    const outcome = await validate(authorization, account.thumbprint);
    return now() - begun < validationLeaseMilliseconds ? outcome : null;
  }

  /** As it is now; null: another was first. */
  async #record(
    authorization: StoredAuthorization,
    owner: StoredAccount,
    outcome: ValidationOutcome,
  ): Promise<StoredAuthorization | null> {
    const { store, authority, now, random } = this.#ports;
    const { id, template, type, value, wildcard, method, request } = authorization;
    const lifetime = authority().references.templates[template]?.acme?.authorizationSeconds ?? 0;
    const time = now();
    const problem: ProblemDocument | null = outcome.valid
      ? null
      : { type: typeOf(outcome.problem), detail: outcome.detail };
    const expiresAt = outcome.valid ? time + lifetime * 1000 : authorization.expiresAt;
    const detail = {
      authorization: id,
      ...ownerOf(owner),
      template,
      identifier: { type, value },
      wildcard,
      method,
      request,
      addresses: outcome.addresses,
      ...(problem === null ? { expiresAt } : { problem }),
    };
    const entry = {
      type: 'authority',
      version: 2,
      id: `V${supportCode(random).slice(1)}`,
      time,
      event: outcome.valid ? 'authorization.valid' : 'authorization.invalid',
      detail,
    } as const;
    try {
      await store.validated({ id, problem, expiresAt, now: time, entry: newEntry(entry, random) });
    } catch (error) {
      // Deactivated on the way, or another node was first.
      if (!isSallyportError(error, 'conflict')) throw error;
      return null;
    }
    const ended = outcome.valid
      ? ({ status: 'valid', validatedAt: time } as const)
      : ({ status: 'invalid', validatedAt: null } as const);
    return { ...authorization, ...ended, error: problem, expiresAt };
  }
}
