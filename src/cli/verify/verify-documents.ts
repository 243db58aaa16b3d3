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
  const there: number[] = [];
  const absent: number[] = [];
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
      if (form === 'there') there.push(index);
      else if (form === 'absent') absent.push(index);
      erased.push(
        ...erasedBy(decodeEntry(leaf)).flatMap(({ log, indexes }) => (log === origin ? indexes : [])),
      );
    }
  }
  const isErased = (index: number) => erased.some(([first, last]) => first <= index && index <= last);
  const stayed = there.find(isErased);
  if (stayed !== undefined) {
    throw new SallyportError(
      'log',
      `the personal fields of entry ${stayed} were erased, and are in this folder: export again with --with-personal, or delete personal/`,
    );
  }
  const gone = absent.filter(isErased).length;
  return { there: there.length, erased: gone, absent: absent.length - gone };
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
