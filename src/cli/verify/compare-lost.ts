import type { ReadOnlyStorage } from '#storage';
import type { Position } from './compare-certificates.ts';

type Lost = Awaited<ReturnType<ReadOnlyStorage['lostCertificates']>>[number];

/** What a restore put on the CRL stays there: each serial number has its entry, and the other way round. */
export class LostComparison {
  readonly #inLog = new Map<string, Position>();

  entry(position: Position, { issuer, serialNumber }: Readonly<Record<string, unknown>>): void {
    this.#inLog.set(`${String(serialNumber)} of ${String(issuer)}`, position);
  }

  end(stored: readonly Lost[], report: (position: Position | null, message: string) => void): void {
    const inStore = new Set(stored.map((row) => `${row.serial_number} of ${row.issuer}`));
    for (const [serial, position] of this.#inLog) {
      if (!inStore.has(serial)) {
        report(position, `serial number ${serial} was revoked at a restore, and is not in the store`);
      }
    }
    for (const serial of inStore) {
      if (!this.#inLog.has(serial)) {
        report(null, `serial number ${serial} is revoked in the store, and no restore in the log revoked it`);
      }
    }
  }
}
