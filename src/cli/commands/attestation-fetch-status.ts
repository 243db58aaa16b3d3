import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { isSallyportError, SallyportError } from '#errors';
import type { StatusList } from '#evidence';
import { checkDuration } from '../duration-option.ts';
import { errorCode } from '../files.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface FetchOptions {
  readonly url: string;
  readonly ca?: string;
  readonly timeout: string;
  readonly acceptFewer?: boolean;
  readonly file?: string;
}

/** Where Google publishes it; its answer needs no account. */
const googlesAddress = 'https://android.googleapis.com/attestation/status';

export function attestationFetchStatus(run: Run): Command {
  return teach(new Command('fetch-status'), {
    summary: "Fetch Google's list of attestation keys that are revoked",
    when:
      'By a timer, several times within the age that a class allows (maximumStatusAge, a day by default): phones are asked to come again where the list is older. The ' +
      'list takes the place of the file that attestation.statusLists names, whole or not at all, and a running authority reads it within a minute. One that does not parse, that ' +
      'has no entries, or less than half of those it had, is refused, and the old one stays. Exit code 4 says that nobody answered: the next run may do better.\n' +
      '--url and --ca are for a mirror of your own; https alone, and no redirect is followed. With --file no configuration is read: so it can run as a user who may read nothing of the authority.',
    examples: [
      'sallyport attestation fetch-status',
      'sallyport attestation fetch-status --url https://mirror.example.com/status --ca mirror.pem',
    ],
    exits: [3, 4],
  })
    .option('--url <url>', 'a mirror of the list', checkUrl, googlesAddress)
    .option('--ca <file>', 'PEM of who vouches for the mirror (default: what Node.js trusts)')
    .option('--timeout <duration>', 'how long the whole answer may take', checkDuration, '60s')
    .option('--file <file>', 'instead of the one that the configuration names')
    .option('--accept-fewer', 'take one with less than half of the entries that the old one has')
    .action(run(fetchStatus));
}

async function fetchStatus(
  session: Session,
  { url, ca, timeout, acceptFewer = false, file: named }: FetchOptions,
): Promise<void> {
  const { parseDuration } = await import('#config');
  const { parseStatusList } = await import('#evidence');
  const { fetchList } = await import('../attestation/fetch-list.ts');
  const { putFile, readableByAll } = await import('../replace-file.ts');
  const { readNamedFile } = await import('../files.ts');
  const file = named === undefined ? await configured(session) : session.path(named);
  const pem = ca === undefined ? null : Buffer.from(await readNamedFile(session.path(ca))).toString('utf8');
  const bytes = await fetchList({ url, ca: pem, timeoutMilliseconds: parseDuration(timeout) * 1000 });
  const list = parse(bytes, url, parseStatusList);
  const before = await entriesOf(file, parseStatusList);
  demandNotShrunken(list.entries.size, before, acceptFewer);
  await putFile(file, bytes, { replace: true, mode: readableByAll, random: session.terminal.random });
  const found = { file, url, entries: list.entries.size, before, sha256: list.sha256 };
  session.print(
    found,
    () => `${file} has ${found.entries} entries${before === null ? '' : `; it had ${before}`}.\n`,
  );
}

async function configured(session: Session): Promise<string> {
  const { file: configurationFile, attestation } = await session.configuration();
  const file = attestation.statusLists['android-key'];
  if (file !== undefined) return file;
  const words = `${configurationFile} names no file for it: say which in attestation.statusLists.android-key`;
  throw new SallyportError('config', words);
}

type Parse = (bytes: Uint8Array) => StatusList;

function parse(bytes: Uint8Array, url: string, parseStatusList: Parse): StatusList {
  try {
    return parseStatusList(bytes);
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError(cause.code, `${url} gives no list, nothing was changed: ${cause.message}`, {
      cause,
    });
  }
}

/** null: there is none, or one that nobody could believe. */
async function entriesOf(file: string, parseStatusList: Parse): Promise<number | null> {
  try {
    return parseStatusList(await readFile(file)).entries.size;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' || isSallyportError(cause)) return null;
    throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
}

/** Keys are taken back for good: a list that loses them is more likely a broken one, and one of nothing says that no key was ever stolen. */
function demandNotShrunken(entries: number, before: number | null, acceptFewer: boolean): void {
  if (entries === 0) throw new SallyportError('forbidden', 'the list has no entries: nothing was changed');
  if (acceptFewer || before === null || entries * 2 >= before) return;
  throw new SallyportError(
    'forbidden',
    `the list has ${entries} entries, and the one that is there ${before}: nothing was changed. Look at it, and say --accept-fewer if that is right`,
  );
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It begins with https://, and has no password.');
  }
  return url.href;
}
