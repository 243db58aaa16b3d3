/**
 * A database that was restored holds several logs, numbered from 0. Where a row is of an entry, its place is the log's number and the index in
 * it in one number, so that whatever came later has the greater place, in whichever log. 2^40 entries are what the tiles of a log reach (#audit,
 * tile-hashes.ts), and 2^53 leaves room for 8,191 restores.
 */
const entriesOfLog = 2 ** 40;

/** Of an entry, or of the root over 2^level of them. */
export function placeOf(log: number, index: number, level = 0): number {
  return log * (entriesOfLog / 2 ** level) + index;
}

export function atPlace(place: number): { readonly log: number; readonly logIndex: number } {
  const log = Math.floor(place / entriesOfLog);
  return { log, logIndex: place - log * entriesOfLog };
}
