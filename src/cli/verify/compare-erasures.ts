import { decodeEntry, documentOf, type LogReader } from '#audit';
import { broughtBackBy, type Entry, erasedBy, type ErasedEntries } from '#enrollment';
import { isSallyportError } from '#errors';
import type { Position } from './compare-certificates.ts';

type Report = (position: Position, message: string) => void;

interface LogSeen {
  readonly number: number;
  readonly origin: string;
  readonly reader: Pick<LogReader, 'entries' | 'blobs'>;
  /** Entries looked at. */
  seen: number;
  /** Of these, whose document is not there, and no act yet has said why. */
  readonly absent: Set<number>;
}

/** What is not there was erased by an act that came later, or is missing; and what an act erased is not there. Logs and entries come in order. */
export class ErasureComparison {
  readonly #logs: LogSeen[] = [];
  readonly #report: Report;
  readonly #broughtBack: ErasedEntries[] = [];
  #erased = 0;
  #again = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Entries that an act erased: their facts were judged, and not derived. */
  get count(): number {
    return this.#erased;
  }

  /** Entries that had been erased after the backup that was restored, and are there again. */
  get again(): number {
    return this.#again;
  }

  /** The entries that follow are of this one. */
  begin({ number, origin, reader }: Pick<LogSeen, 'number' | 'origin' | 'reader'>): void {
    this.#logs.push({ number, origin, reader, seen: 0, absent: new Set() });
  }

  async entry(position: Position, entry: Entry, isAbsent: boolean): Promise<void> {
    const log = this.#logs.at(-1)!;
    await this.#act(position, entry);
    this.#broughtBack.push(...broughtBackBy(entry));
    if (isAbsent) log.absent.add(position.logIndex);
    log.seen = position.logIndex + 1;
  }

  async end(): Promise<void> {
    for (const { log: origin, indexes } of this.#broughtBack) {
      const log = this.#logs.find((each) => each.origin === origin);
      if (log === undefined) continue;
      for (const [first, last] of indexes) {
        // What came after the backup is not here.
        for (let index = first; index <= Math.min(last, log.seen - 1); index += 1) {
          if (await isThere(log, index)) this.#again += 1;
        }
      }
    }
    for (const { number: log, absent } of this.#logs) {
      for (const logIndex of absent) {
        this.#report({ log, logIndex }, 'its personal fields are not there, and no act erased them');
      }
    }
  }

  async #act(position: Position, entry: Entry): Promise<void> {
    try {
      for (const { log: origin, indexes } of erasedBy(entry)) {
        const log = this.#logs.find((each) => each.origin === origin);
        if (log === undefined) {
          this.#report(position, `it erased entries of a log that is not before it: ${origin}`);
          continue;
        }
        for (const [first, last] of indexes) {
          if (last >= log.seen) this.#report(position, `it erased entry ${last}, which was not there yet`);
          for (let index = first; index <= Math.min(last, log.seen - 1); index += 1) {
            if (log.absent.delete(index)) this.#erased += 1;
            else await this.#demandGone(log, index, position);
          }
        }
      }
    } catch (error) {
      if (!isSallyportError(error, 'log')) throw error;
      this.#report(position, error.message);
    }
  }

  /** Erased twice is no finding; there again is. */
  async #demandGone(log: LogSeen, index: number, act: Position): Promise<void> {
    if (!(await isThere(log, index))) return;
    this.#report(
      { log: log.number, logIndex: index },
      `entry ${act.logIndex} erased its personal fields, and they are there: put back from a backup?`,
    );
  }
}

async function isThere({ reader }: LogSeen, index: number): Promise<boolean> {
  const [entry] = await reader.entries(index, index + 1);
  const leaf = entry === undefined ? null : readable(entry.bytes);
  return leaf !== null && documentOf(leaf, await reader.blobs(index, index + 1)) !== null;
}

function readable(bytes: Uint8Array): { readonly sealed?: unknown } | null {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}
