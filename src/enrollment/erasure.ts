import { SallyportError } from '#errors';

/** Entries of one log whose documents, and kept certification requests, an act erased. */
export interface ErasedEntries {
  /** Its origin: entries of logs that ended are erased by acts of the one that is written. */
  readonly log: string;
  /** Indexes, each range with its first and its last one, ascending. */
  readonly indexes: readonly IndexRange[];
}

export type IndexRange = readonly [first: number, last: number];

/** What erases what a device left in the log. */
export const eraseAct = 'device.erase';

/** So many ranges of eight-digit indexes are half of what an entry holds. */
const maximumRanges = 1_500;

export function rangesOf(ascending: readonly number[]): IndexRange[] {
  const ranges: [number, number][] = [];
  for (const index of ascending) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}

/** One act names no more than fits into its entry: what is more is told by further ones. */
export function inActs(erased: readonly ErasedEntries[]): ErasedEntries[][] {
  const acts: ErasedEntries[][] = [];
  let room = 0;
  for (const { log, indexes } of erased) {
    for (let at = 0; at < indexes.length;) {
      if (room === 0) {
        acts.push([]);
        room = maximumRanges;
      }
      const some = indexes.slice(at, at + room);
      acts.at(-1)!.push({ log, indexes: some });
      at += some.length;
      room -= some.length;
    }
  }
  return acts;
}

/** What an entry says it erased; nothing, for any other act. Throws 'log' where it does not say so in order. */
export function erasedBy(entry: {
  readonly type?: unknown;
  readonly act?: unknown;
  readonly detail?: unknown;
}) {
  if (entry.type !== 'act' || entry.act !== eraseAct) return [];
  const { erased } = (entry.detail ?? {}) as { readonly erased?: unknown };
  if (!Array.isArray(erased) || !erased.every(isErased)) {
    throw new SallyportError('log', 'the act does not say in order what it erased');
  }
  return erased as readonly ErasedEntries[];
}

/** The event by which a restore tells what it brought back: by the log's copy elsewhere, it had been erased after the backup. */
export const erasureUndone = 'erasure.undone';

export function broughtBackBy(entry: {
  readonly event?: unknown;
  readonly detail?: unknown;
}): readonly ErasedEntries[] {
  if (entry.event !== erasureUndone) return [];
  const { erased } = (entry.detail ?? {}) as { readonly erased?: unknown };
  return Array.isArray(erased) && erased.every(isErased) ? erased : [];
}

function isErased(value: unknown): value is ErasedEntries {
  if (typeof value !== 'object' || value === null) return false;
  const { log, indexes } = value as Partial<ErasedEntries>;
  return typeof log === 'string' && Array.isArray(indexes) && isAscending(indexes);
}

function isAscending(ranges: readonly unknown[]): boolean {
  let before = -1;
  return ranges.every((range) => {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [first, last] = range as unknown[];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return false;
    const inOrder = Number(first) > before && Number(last) >= Number(first);
    before = Number(last);
    return inOrder;
  });
}
