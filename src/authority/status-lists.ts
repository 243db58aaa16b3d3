import { readFile, stat } from 'node:fs/promises';
import type { Configuration } from '#config';
import type { ListsOfIssuers, StatusLists } from '#enrollment';
import { SallyportError } from '#errors';
import {
  type ListedFormat,
  listedFormats,
  parseRevocationList,
  parseStatusList,
  type RevocationList,
  type TrustAnchors,
} from '#evidence';
import { type Certificate, type Der, parseCertificate, pemToDer } from '#x509';

type Files = Configuration['attestation']['statusLists'];

/**
 * What issuers have revoked, as the files have it; files that are as they were are not read again. Throws 'config' where one cannot be read: what it says of one key
 * is not known then. `anchors`: whose CAs sign lists.
 */
export async function loadStatusLists(
  { attestation }: Pick<Configuration, 'attestation'>,
  anchors: readonly TrustAnchors[],
  before: StatusLists = {},
): Promise<StatusLists> {
  const { statusLists } = attestation;
  const [android, ...ofIssuers] = await Promise.all([
    loadAndroid(statusLists['android-key'], before),
    ...listedFormats.map(async (format) => {
      const lists = await loadLists(format, statusLists, anchors, before[format]);
      return lists === null ? {} : { [format]: lists };
    }),
  ]);
  return Object.assign({}, android, ...ofIssuers) as StatusLists;
}

async function loadAndroid(
  file: Files['android-key'],
  before: StatusLists,
): Promise<Pick<StatusLists, 'android-key'>> {
  if (file === undefined) return {};
  const kept = before['android-key'];
  return readable(file, 'status list', async () => {
    const at = Math.floor((await stat(file)).mtimeMs);
    return { 'android-key': kept?.at === at ? kept : { list: parseStatusList(await readFile(file)), at } };
  });
}

async function loadLists(
  format: ListedFormat,
  { [format]: files = [] }: Files,
  anchors: readonly TrustAnchors[],
  before: ListsOfIssuers | undefined,
): Promise<ListsOfIssuers | null> {
  if (files.length === 0) return null;
  const stamps = files.map((file) =>
    readable(file, 'list of revoked certificates', async () => {
      const { mtimeMs, size, ino } = await stat(file);
      return `${mtimeMs} ${size} ${ino}`;
    }),
  );
  const times = (await Promise.all(stamps)).join('\n');
  if (before?.times === times) return before;
  const ofFormat = anchors.filter((each) => each.format === format);
  const intermediates = ofFormat.flatMap((each) => each.intermediates.map(certificateOf));
  const cas = [...ofFormat.flatMap(({ roots }) => roots.map(certificateOf)), ...intermediates];
  const lists: RevocationList[] = [];
  for (const file of files) {
    const read = async () => listsIn(await readFile(file)).map((bytes) => parseRevocationList(bytes, cas));
    lists.push(...(await readable(file, 'list of revoked certificates', read)));
  }
  return { lists, intermediates, times };
}

/** DER, or PEM with one after the other. */
function listsIn(bytes: Buffer): readonly Der[] {
  const isDer = bytes[0] === 0x30;
  return isDer ? [new Uint8Array(bytes)] : pemToDer(bytes.toString('latin1'), 'X509 CRL');
}

function certificateOf(base64: string): Certificate {
  return parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
}

async function readable<Value>(file: string, what: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new SallyportError('config', `${file} is no ${what}: ${words}`, { cause });
  }
}
