import { readFile, stat } from 'node:fs/promises';
import type { Configuration } from '#config';
import type { FileOfLists, ListsOfIssuers, StatusLists } from '#enrollment';
import { SallyportError } from '#errors';
import {
  listedFormats,
  newestLists,
  parseRevocationList,
  parseStatusList,
  type TrustAnchors,
} from '#evidence';
import { type Der, parseBase64Certificate, pemToDer } from '#x509';

type Files = Configuration['attestation']['statusLists'];

interface Loading {
  /** What is in force: of a file that cannot be read now, the last that could. */
  readonly before?: StatusLists;
  /** Is told of each file that cannot be read, and may throw where a part is not enough. The others are read all the same. */
  readonly fault: (error: SallyportError) => void;
}

/**
 * What issuers have revoked, as the files have it; files that are as they were are not read again. Of one that could never be read there is no list, and whoever
 * asks for one by maximumStatusAge misses it. `anchors`: whose CAs sign lists.
 */
export async function loadStatusLists(
  { attestation }: { readonly attestation: Pick<Configuration['attestation'], 'statusLists'> },
  anchors: readonly TrustAnchors[],
  { before = {}, fault }: Loading,
): Promise<StatusLists> {
  const { statusLists } = attestation;
  const [android, ...ofIssuers] = await Promise.all([
    loadAndroid(statusLists['android-key'], { before, fault }),
    ...listedFormats.map(async (format) => {
      const ofFormat = anchors.filter((each) => each.format === format);
      const lists = await loadLists(statusLists[format] ?? [], ofFormat, { before: before[format], fault });
      return lists === null ? {} : { [format]: lists };
    }),
  ]);
  return Object.assign({}, android, ...ofIssuers) as StatusLists;
}

async function loadAndroid(
  file: Files['android-key'],
  { before = {}, fault }: Loading,
): Promise<Pick<StatusLists, 'android-key'>> {
  if (file === undefined) return {};
  const kept = before['android-key'];
  const taken = await readable(file, 'status list', kept, fault, async () => {
    const { stamp, changedAt } = await stampOf(file);
    if (kept?.stamp === stamp) return kept;
    return { list: parseStatusList(await readFile(file)), at: changedAt, stamp };
  });
  return taken === undefined ? {} : { 'android-key': taken };
}

async function loadLists(
  names: readonly string[],
  anchors: readonly TrustAnchors[],
  { before, fault }: { readonly before: ListsOfIssuers | undefined; readonly fault: Loading['fault'] },
): Promise<ListsOfIssuers | null> {
  if (names.length === 0) return null;
  const intermediates = anchors.flatMap((each) => each.intermediates.map(parseBase64Certificate));
  const cas = [...anchors.flatMap(({ roots }) => roots.map(parseBase64Certificate)), ...intermediates];
  // Another CA may have signed what none had.
  const areAnchors =
    before?.anchors.length === anchors.length && before.anchors.every((each, at) => each === anchors[at]);
  const files = new Map<string, FileOfLists>();
  for (const name of new Set(names)) {
    const kept = before?.files.get(name);
    const read = await readable(name, 'list of revoked certificates', kept, fault, async () => {
      const { stamp } = await stampOf(name);
      if (areAnchors && kept?.stamp === stamp) return kept;
      return { stamp, lists: listsIn(await readFile(name)).map((each) => parseRevocationList(each, cas)) };
    });
    if (read !== undefined) files.set(name, read);
  }
  const isAsBefore =
    areAnchors &&
    before.files.size === files.size &&
    [...files].every(([name, file]) => before.files.get(name) === file);
  if (isAsBefore) return before;
  const lists = newestLists([...files.values()].flatMap((file) => file.lists));
  return { lists, intermediates, files, anchors };
}

/** By its time alone, which tools keep or round, a file would pass for the one whose place it took. */
async function stampOf(file: string): Promise<{ readonly stamp: string; readonly changedAt: number }> {
  const { mtimeMs, size, ino } = await stat(file);
  return { stamp: `${mtimeMs} ${size} ${ino}`, changedAt: Math.floor(mtimeMs) };
}

/** DER, or PEM with one after the other. */
function listsIn(bytes: Buffer): readonly Der[] {
  const isDer = bytes[0] === 0x30;
  if (isDer) return [new Uint8Array(bytes)];
  const lists = pemToDer(bytes.toString('latin1'), 'X509 CRL');
  if (lists.length === 0) throw new SallyportError('malformed', 'there is none in it');
  return lists;
}

async function readable<Value>(
  file: string,
  what: string,
  kept: Value | undefined,
  fault: Loading['fault'],
  read: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await read();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const instead = kept === undefined ? '' : '; what it was before is in force';
    fault(new SallyportError('config', `${file} is no ${what}: ${words}${instead}`, { cause }));
    return kept;
  }
}
