import { CompactRange, tileWidth } from '#audit';
import { erasedBy, type ErasedEntries } from '#enrollment';
import { SallyportError } from '#errors';
import { type Event, eventOf, type Told } from './afterwards.ts';
import type { HeldLog } from './backup-logs.ts';
import type { PublishedLog } from './published-logs.ts';
import type { ExportLine } from './siem-export.ts';

interface Beyond {
  readonly leaf: Uint8Array;
  readonly event: Event | null;
  readonly erased: readonly ErasedEntries[];
  readonly time: number;
}

export interface EndOfExport {
  readonly origin: string;
  readonly entries: number;
  readonly proven: number;
  readonly missing: number;
  /** All that was published of it is here, or in the backup. */
  readonly isWhole: boolean;
  readonly newestTime: number;
  readonly told: readonly Told[];
  readonly erased: readonly ErasedEntries[];
}

/** The lines of one log, beside what the backup has of it. */
export class ExportedLog {
  readonly origin: string;
  readonly #held: HeldLog;
  readonly #leafAt: (index: number) => Promise<Uint8Array | undefined>;
  readonly #beyond = new Map<number, Beyond>();

  constructor(held: HeldLog) {
    this.origin = held.origin;
    this.#held = held;
    this.#leafAt = leavesOf(held);
  }

  /** Of a log that the backup's own one followed: it tells nothing of the time after the backup. */
  get isBefore(): boolean {
    return this.#held.role === 'before';
  }

  /** Logs that ended before the backup, its own, and those after it by the time of their beginning. */
  get rank(): number {
    if (this.#held.role === 'after') return this.#beyond.get(0)?.time ?? Infinity;
    return this.#held.role === 'own' ? 0 : -1;
  }

  /** Returns in words why a line cannot be of this log. */
  async add({ index, leaf, claimed, entry }: ExportLine): Promise<string | null> {
    if (!sameBytes(leaf, claimed)) return `holds another entry ${index} than its hash says`;
    const { size, role, origin } = this.#held;
    const there = index < size ? await this.#leafAt(index) : this.#beyond.get(index)?.leaf;
    if (there !== undefined && !sameBytes(there, leaf)) {
      return `has another entry ${index} than ${index < size ? 'the backup' : 'a line before it'}`;
    }
    if (index >= size) {
      const event = eventOf({ log: origin, index }, entry);
      // Devices were resumed and suspended again since; a certificate that was revoked stays so.
      const counts = role !== 'before' || event?.kind !== 'device';
      const told = { event: counts ? event : null, erased: erasedBy(entry), time: timeOf(entry) };
      this.#beyond.set(index, { leaf, ...told });
    }
    return null;
  }

  /** What all lines together say. Throws 'log' where the log is whole up to what was published, and is another one. */
  end(published: PublishedLog | null): EndOfExport {
    const { size, role } = this.#held;
    const upTo = published === null ? size : Math.max(size, published.size);
    const inOrder = [...this.#beyond].toSorted(([left], [right]) => left - right);
    const isWhole = published !== null && this.#isWhole(published);
    const end = Math.max((inOrder.at(-1)?.[0] ?? size - 1) + 1, upTo);
    return {
      origin: this.origin,
      // What came before the backup was counted when its log began.
      ...(role === 'before'
        ? { entries: 0, proven: 0, missing: 0 }
        : {
            entries: inOrder.length,
            proven: isWhole ? upTo - size : 0,
            missing: end - size - inOrder.length,
          }),
      isWhole,
      newestTime: isWhole ? (this.#beyond.get(upTo - 1)?.time ?? 0) : 0,
      erased: isWhole ? inOrder.flatMap(([index, { erased }]) => (index < upTo ? erased : [])) : [],
      told: inOrder.flatMap(([index, { event }]) =>
        event === null ? [] : [{ event, proven: isWhole && index < upTo }],
      ),
    };
  }

  #isWhole(published: PublishedLog): boolean {
    const { size, range } = this.#held;
    if (published.size <= size) return true;
    const tree = CompactRange.restore(size, range);
    for (let index = size; index < published.size; index += 1) {
      const entry = this.#beyond.get(index);
      if (entry === undefined) return false;
      tree.append(entry.leaf);
    }
    if (sameBytes(tree.root(), published.root)) return true;
    throw new SallyportError(
      'log',
      `the backup and the export together are not the log ${this.origin} of ${published.size} entries that was published: one of them was changed`,
    );
  }
}

/** The backup's own leaves, a tile at a time: lines come in the order of the log, or nearly so. */
function leavesOf({ reader, size }: HeldLog): (index: number) => Promise<Uint8Array | undefined> {
  let tile: { readonly from: number; readonly leaves: readonly Uint8Array[] } | null = null;
  return async (index) => {
    const from = index - (index % tileWidth);
    if (tile?.from !== from) {
      tile = { from, leaves: (await reader?.hashes.read(0, from, Math.min(from + tileWidth, size))) ?? [] };
    }
    return tile.leaves[index - from];
  };
}

function timeOf({ time }: Readonly<Record<string, unknown>>): number {
  return typeof time === 'number' && Number.isFinite(time) ? time : 0;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
