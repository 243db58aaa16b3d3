import { Command } from 'commander';
import type { ParsedCheckpoint } from '#audit';
import { SallyportError } from '#errors';
import type { AdminClient } from '../admin-client.ts';
import { printable } from '../render/printable.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { TileFolder } from '../tile-folder.ts';
import { configuredKey } from '../verify/configured-key.ts';
import { signedCheckpoint } from '../verify/signed-checkpoint.ts';

interface ExportOptions {
  readonly to: string;
  readonly logKey?: string;
  readonly withPersonal?: boolean;
  readonly ended?: string;
}

/** A resource of the log that is exported, by its path; null: there is none. */
type Source = AdminClient['logDocument'];

export function logExport(run: Run): Command {
  return teach(new Command('export'), {
    summary: 'Copy the log into a folder that can be verified anywhere',
    when:
      'For an auditor, a mirror or an archive: the checkpoint, every hash and every entry as files in the layout of C2SP tlog-tiles, which public tools read and ' +
      'any web server can serve. Run it again to continue: only what is new is fetched, and a log that has lost or changed what was copied before is refused. After a restore the log is another one: export that to a folder of its own. The one that ended, as far as its backup has it, ' +
      'is exported with --ended and its name. ' +
      'The files name no device, person or address: those are apart, and are written with --with-personal only, anew each time, so that what was erased goes here as well. ' +
      '`sallyport log verify --tiles` checks the folder without this authority.',
    examples: [
      'sallyport log export --to ./mirror',
      'sallyport log export --to ./mirror-until-june --ended ca.example.com/log',
    ],
    exits: [3, 4, 5],
  })
    .requiredOption('--to <folder>', 'where to: a new folder, or that of an earlier export')
    .option('--log-key <key>', "the log's public key as `init` printed it (default: of the key file)")
    .option(
      '--ended <log>',
      'the log of that name, which a restore ended, instead of the one that is written',
    )
    .option('--with-personal', 'also the personal fields of the entries, beside them in a folder personal/')
    .action(run(exportLog));
}

async function exportLog(
  session: Session,
  { to, logKey, withPersonal, ended }: ExportOptions,
): Promise<void> {
  const { verifierKeyFor, verifyTiles } = await import('#audit');
  const { originOf } = await import('#authority');
  const client = await session.adminClient();
  const source = ended === undefined ? client.logDocument.bind(client) : await endedLog(client, ended);
  const note = await source('checkpoint');
  if (note === null) {
    throw new SallyportError('conflict', 'the log has no signed checkpoint yet; wait a second and ask again');
  }
  const origin = originOf(Buffer.from(note).toString());
  // The configuration names the log that is written; who has a key from their own notes has it under the name of its day.
  const asked = logKey ?? (await configuredKey(session, await session.configuration()));
  const key = logKey === undefined && ended === undefined ? asked : verifierKeyFor(origin, asked);
  const head = await signedCheckpoint(note, key);
  const folder = new TileFolder(session.path(to));
  const before = await folder.checkpoint();
  if (before !== null) await demandSameLog(before, head.origin);
  const earlier = before === null ? null : await signedCheckpoint(before, key);
  if (earlier !== null) demandGrowth(earlier, head, ended !== undefined);

  const fetched = await fetchMissing(source, folder, head.size);
  await verifyTiles(folder, head, earlier === null ? [] : [earlier]);
  if (withPersonal === true) await fetchDocuments(source, folder, head.size);
  // The last file: with it the folder is a log of that size.
  await folder.write('checkpoint', note);
  const { size } = head;
  session.print({ origin, size, earlier: earlier?.size ?? null, fetched }, () => {
    const since = earlier === null ? '' : `, ${size - earlier.size} more than before`;
    const end = ended === undefined ? '' : ' It ended there, when a backup was restored.';
    return `${size} entries of ${printable(origin)} are in ${to}${since}. Every hash was computed again and fits the signed checkpoint.${end}\n`;
  });
}

/** Throws 'not-found' with the names of those that there are. */
async function endedLog(client: AdminClient, name: string): Promise<Source> {
  const { originOf } = await import('#authority');
  const names: string[] = [];
  for (;;) {
    const prefix = `earlier/${names.length}/`;
    const note = await client.logDocument(`${prefix}checkpoint`);
    if (note === null) break;
    const origin = originOf(Buffer.from(note).toString());
    if (origin === name) return (path) => client.logDocument(`${prefix}${path}`);
    names.push(origin);
  }
  const there = names.length === 0 ? 'none did here' : `those that did are ${names.join(', ')}`;
  throw new SallyportError('not-found', `no log ${name} ended when a backup was restored; ${there}`);
}

/** After a restore the log has another name: the folder is then of the one that ended, and stays as it is. Throws 'conflict'. */
async function demandSameLog(before: string, origin: string): Promise<void> {
  const { firstOrigin } = await import('#audit');
  const held = before.split('\n', 1)[0] ?? '';
  if (held === origin || firstOrigin(held) !== firstOrigin(origin)) return;
  throw new SallyportError(
    'conflict',
    `the folder holds the log ${held}, and this is another log of the same authority, ${origin}: one ended when a backup was restored. Keep the folder, and export to a new one; --ended ${held} goes on with this one as far as the backup has it`,
  );
}

function demandGrowth(earlier: ParsedCheckpoint, head: ParsedCheckpoint, hasEnded: boolean): void {
  if (earlier.size <= head.size) return;
  const words = hasEnded
    ? `it ended with ${head.size}, when a backup was restored: the folder has more than is here. Keep it`
    : `the log has ${head.size} now: it has lost some. Keep both as they are`;
  throw new SallyportError(
    hasEnded ? 'conflict' : 'log',
    `the folder has ${earlier.size} signed entries, and ${words}`,
  );
}

/** All of them each time: between two exports some may have been erased. */
async function fetchDocuments(source: Source, folder: TileFolder, size: number): Promise<void> {
  const { documentBundlePath, tileWidth } = await import('#audit');
  for (let index = 0; index * tileWidth < size; index += 1) {
    const path = documentBundlePath(index);
    const bytes = await source(path);
    if (bytes === null) throw new SallyportError('log', `the log does not serve ${path}`);
    await folder.write(path, bytes);
  }
}

/** How many files were fetched. What is there already is not asked for again; verifying finds what is wrong with it. */
async function fetchMissing(source: Source, folder: TileFolder, size: number): Promise<number> {
  const { tilePath, tilesOf } = await import('#audit');
  let fetched = 0;
  for (const { level, index, width } of tilesOf(size)) {
    const path = tilePath(level, index, width);
    if (await folder.has(path)) continue;
    const bytes = await source(path);
    if (bytes === null) throw new SallyportError('log', `the log does not serve ${path}`);
    await folder.write(path, bytes);
    fetched += 1;
  }
  return fetched;
}
