import { type Entry, sha256Hex } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import type { Position } from './compare-certificates.ts';

type Report = (position: Position, message: string) => void;

interface Issued {
  readonly position: Position;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What relying parties are given is the list that the log says was issued last: an older one has the issuer's signature as well. */
export class CrlComparison {
  readonly #store: Pick<ReadOnlyStorage, 'crl'>;
  readonly #report: Report;
  /** By issuer. */
  readonly #newest = new Map<string, Issued>();

  constructor(store: Pick<ReadOnlyStorage, 'crl'>, report: Report) {
    this.#store = store;
    this.#report = report;
  }

  /** In the order of the logs. */
  entry(position: Position, entry: Entry): void {
    if (entry.type !== 'authority' || entry.event !== 'crl.issued') return;
    this.#newest.set(String(entry.detail['issuer']), { position, detail: entry.detail });
  }

  /** After the last entry. The number may be above that of the list, where a restore knows of one that was out. */
  async end(): Promise<void> {
    for (const [issuer, { position, detail }] of this.#newest) {
      const stored = await this.#store.crl(issuer);
      const objection =
        stored === null
          ? 'is not in the store'
          : sha256Hex(stored.der) !== detail['sha256']
            ? 'is another one in the store'
            : stored.thisUpdate !== detail['thisUpdate'] || stored.nextUpdate !== detail['nextUpdate']
              ? 'has other times in the store'
              : null;
      if (objection !== null) this.#report(position, `the newest CRL of ${issuer} ${objection}`);
    }
  }
}
