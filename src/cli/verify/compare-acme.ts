import type { Entry } from '#enrollment';
import { AccountComparison, type AccountStore } from './compare-accounts.ts';
import { AuthorizationComparison, type AuthorizationStore } from './compare-authorizations.ts';
import type { Position } from './compare-certificates.ts';
import { ExternalAccountKeyComparison, type KeyStore } from './compare-external-account-keys.ts';

/** What owners were given, their accounts, and what those have proven. */
export class AcmeComparison {
  readonly #keys: ExternalAccountKeyComparison;
  readonly #accounts: AccountComparison;
  readonly #authorizations: AuthorizationComparison;

  /** `written`: the number of the log that is written; those before it were ended by a restore. */
  constructor(
    store: KeyStore & AccountStore & AuthorizationStore,
    written: number,
    report: (position: Position | null, message: string) => void,
  ) {
    this.#keys = new ExternalAccountKeyComparison(store, written, report);
    this.#accounts = new AccountComparison(store, report);
    this.#authorizations = new AuthorizationComparison(store, written, report);
  }

  /** In the order of the logs. `isAbsent`: its personal fields are not there. */
  async entry(position: Position, entry: Entry, isAbsent: boolean): Promise<void> {
    await this.#keys.entry(position, entry, isAbsent);
    await this.#accounts.entry(position, entry, isAbsent);
    await this.#authorizations.entry(position, entry);
  }

  /** After the last entry. */
  async end(): Promise<void> {
    await this.#keys.end();
    await this.#accounts.end();
    await this.#authorizations.end();
  }
}
