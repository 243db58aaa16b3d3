import type { Entry, RequestEntry } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import type { Position } from './compare-certificates.ts';

type Report = (position: Position, message: string) => void;

const acts: ReadonlySet<string> = new Set(['device.suspend', 'device.resume', 'device.retire']);
/** What a restore found in the log's copy elsewhere. */
const events: ReadonlySet<string> = new Set(['device.suspended', 'device.retired']);

/**
 * A device that was suspended gets nothing until it is resumed, one that was retired nothing ever, and the store has them so. In the order of the
 * logs. Only the stopped ones are held in memory; an erased device has no id in the log, and is not judged.
 */
export class DeviceComparison {
  readonly #store: Pick<ReadOnlyStorage, 'deviceState'>;
  readonly #report: Report;
  readonly #stopped = new Map<string, { readonly state: string; readonly position: Position }>();

  constructor(store: Pick<ReadOnlyStorage, 'deviceState'>, report: Report) {
    this.#store = store;
    this.#report = report;
  }

  entry(position: Position, entry: Entry): void {
    if (entry.type === 'request') {
      const { outcome, certificate } = entry;
      const stopped = outcome === 'issued' ? this.#stopped.get(certificate?.deviceId ?? '') : undefined;
      if (stopped === undefined) return;
      this.#report(position, `a certificate was issued for a device that was ${stopped.state} then`);
    } else if (stopsOrResumes(entry)) {
      const { device, to, state = to } = entry.detail;
      if (typeof device !== 'string') return;
      if (state === 'suspended' || state === 'retired') this.#stopped.set(device, { state, position });
      else this.#stopped.delete(device);
    }
  }

  /** After the last entry. */
  async end(): Promise<void> {
    for (const [device, { state, position }] of this.#stopped) {
      const stored = await this.#store.deviceState(device);
      if (stored === state) continue;
      const words = stored === null ? 'not in the store' : `${stored} in the store`;
      this.#report(position, `its device was ${state} and not resumed, and is ${words}`);
    }
  }
}

function stopsOrResumes(entry: Exclude<Entry, RequestEntry>): boolean {
  if (entry.type === 'call') return false;
  return entry.type === 'act' ? acts.has(entry.act) : events.has(entry.event);
}
