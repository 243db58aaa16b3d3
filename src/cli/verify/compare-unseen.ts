import type { Position } from './compare-certificates.ts';

interface Serial {
  readonly issuer: string;
  readonly serial_number: string;
}

/** Serial numbers on the CRL of certificates that nobody here has seen: each has its entry, and the other way round. */
export class UnseenComparison {
  readonly #inLog = new Map<string, Position>();
  readonly #revoked: string;
  readonly #unlogged: string;

  /** `revoked`: how the log says it was put there; `unlogged`: that no entry does. */
  constructor(revoked: string, unlogged: string) {
    this.#revoked = revoked;
    this.#unlogged = unlogged;
  }

  entry(position: Position, { issuer, serialNumber }: Readonly<Record<string, unknown>>): void {
    this.#inLog.set(`${String(serialNumber)} of ${String(issuer)}`, position);
  }

  async end(
    stored: Iterable<Serial> | AsyncIterable<Serial>,
    report: (position: Position | null, message: string) => void,
  ): Promise<void> {
    const missing = new Map(this.#inLog);
    for await (const row of stored) {
      const serial = `${row.serial_number} of ${row.issuer}`;
      if (!this.#inLog.has(serial)) {
        report(null, `serial number ${serial} is revoked in the store, and ${this.#unlogged}`);
      }
      missing.delete(serial);
    }
    for (const [serial, position] of missing) {
      report(position, `serial number ${serial} ${this.#revoked}, and is not in the store`);
    }
  }
}
