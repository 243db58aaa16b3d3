import {
  decodeEntry,
  documentBundlePath,
  parseDocumentBundle,
  parseEntryBundle,
  type TileFiles,
  tilePath,
  tileWidth,
} from '#audit';
import { erasedBy, type IndexRange, type ReadEntry, readEntry } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';

/** Entries with sealed documents, of a log that was exported. */
export interface DocumentCounts {
  /** In the folder, and those that the entries name. */
  readonly there: number;
  /** Erased by an act that the log has. */
  readonly erased: number;
  /** Neither: the export was made without them. */
  readonly absent: number;
}

/** Bundles were verified before. Throws 'log' for a document that is not its entry's, and for one that an act has erased. */
export async function verifyDocuments(
  files: TileFiles,
  { origin, size }: { readonly origin: string; readonly size: number },
): Promise<DocumentCounts> {
  const there = new Runs();
  const absent = new Runs();
  const erased: IndexRange[] = [];
  for (let bundle = 0; bundle * tileWidth < size; bundle += 1) {
    const from = bundle * tileWidth;
    const entries = await files.read(tilePath('entries', bundle, Math.min(tileWidth, size - from)));
    const path = documentBundlePath(bundle);
    const bytes = await files.read(path);
    const documents = bytes === null ? [] : parseDocumentBundle(bytes);
    const stranger = documents.find(({ index }) => index < from || index >= Math.min(from + tileWidth, size));
    if (stranger !== undefined) {
      throw new SallyportError('log', `${path}: entry ${stranger.index} is not of this bundle`);
    }
    const byEntry = Map.groupBy(documents, ({ index }) => index);
    for (const [at, leaf] of parseEntryBundle(entries!).entries()) {
      const index = from + at;
      const form = formOf(leaf, byEntry.get(index) ?? [], `${path}: entry ${index}`);
      if (form === 'there') there.add(index);
      else if (form === 'absent') absent.add(index);
      erased.push(
        ...erasedBy(decodeEntry(leaf)).flatMap(({ log, indexes }) => (log === origin ? indexes : [])),
      );
    }
  }
  const ended = merged(erased);
  const [stayed] = common(there.ranges, ended);
  if (stayed !== undefined) {
    throw new SallyportError(
      'log',
      `the personal fields of entry ${stayed[0]} were erased, and are in this folder: export again with --with-personal, or delete personal/`,
    );
  }
  const gone = countOf(common(absent.ranges, ended));
  return { there: countOf(there.ranges), erased: gone, absent: countOf(absent.ranges) - gone };
}

/** Of ascending indexes: of a large log mostly one run, or few. */
class Runs {
  readonly ranges: [first: number, last: number][] = [];

  add(index: number): void {
    const last = this.ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else this.ranges.push([index, index]);
  }
}

/** Ascending, none in another one. */
function merged(ranges: readonly IndexRange[]): IndexRange[] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = result.at(-1);
    if (before !== undefined && first <= before[1]) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}

/** What is in both, where both are ascending. */
function common(left: readonly IndexRange[], right: readonly IndexRange[]): IndexRange[] {
  const result: IndexRange[] = [];
  for (let [at, other] = [0, 0]; at < left.length && other < right.length;) {
    const [a, b] = [left[at]!, right[other]!];
    const [first, last] = [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
    if (first <= last) result.push([first, last]);
    if (a[1] < b[1]) at += 1;
    else other += 1;
  }
  return result;
}

function countOf(ranges: readonly IndexRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function formOf(leaf: Uint8Array, documents: Parameters<typeof readEntry>[1], where: string) {
  let form: ReadEntry['document'];
  try {
    form = readEntry(leaf, documents).document;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    throw new SallyportError('log', `${where}: ${error.message}`, { cause: error });
  }
  if (documents.length === (form === 'there' ? 1 : 0)) return form;
  throw new SallyportError('log', `${where}: the document is not that of the entry`);
}
