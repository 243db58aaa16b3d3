import { Command } from 'commander';
import { SallyportError } from '#errors';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { formatFields, listed } from '../render/fields.ts';
import { printable } from '../render/printable.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach, wrap } from '../teach.ts';
import { TileFolder } from '../tile-folder.ts';
import { configuredKey, readIfThere } from '../verify/configured-key.ts';
import { progressOn } from '../verify/progress.ts';
import { signedCheckpoint } from '../verify/signed-checkpoint.ts';
import type { LogReport } from '../verify/verify-authority-log.ts';
import type { DocumentCounts } from '../verify/verify-documents.ts';

export function logVerify(run: Run): Command {
  return teach(new Command('verify'), {
    summary: 'Recompute the whole log: every hash, every verdict, every certificate',
    when:
      "Regularly, and whenever you have a doubt. It works on the files, with or without a running authority: entries against the tree's hashes and the signed " +
      'checkpoint; each request judged again by the references and policies of its day, which must give the same verdict; each certificate against the entry of ' +
      'its issuance; secrets, approvals, stopped devices and revoked serial numbers against what the log tells of them. Of a device that was erased the entries are there without their names: their facts are judged, and nobody can derive them any more. ' +
      'Give --log-key from your own notes to trust nothing on this machine. With --tiles it works on what `log export` wrote, anywhere: every entry ' +
      'and hash against the signed checkpoint, of the log that it names (before or after a restore), and personal fields, where they were exported, against their entries; no verdict, since references and policies are in the database.',
    examples: [
      'sallyport log verify',
      'sallyport log verify --json',
      'sallyport log verify --tiles ./mirror',
    ],
    exits: [3, 4, 5],
  })
    .option('--log-key <key>', "the log's public key as `init` printed it (default: of the key file)")
    .option('--tiles <folder>', 'what `log export` wrote, instead of the database')
    .option(
      '--checkpoint <file>',
      'a checkpoint kept elsewhere, also of a log that a restore ended (default: as configured)',
    )
    .action(run(verify));
}

interface VerifyOptions {
  readonly logKey?: string;
  readonly checkpoint?: string;
  readonly tiles?: string;
}

async function verify(session: Session, options: VerifyOptions): Promise<ExitCode> {
  if (options.tiles !== undefined) return verifyExported(session, options.tiles, options);
  const { verifierKeyFor } = await import('#audit');
  const { originOf, readDatabase, readPublished } = await import('#authority');
  const { verifyAuthorityLog } = await import('../verify/verify-authority-log.ts');
  const configuration = await session.configuration();
  const verifierKey =
    options.logKey === undefined
      ? await configuredKey(session, configuration)
      : verifierKeyFor(configuration.log.origin, options.logKey);
  // Before the database is opened, so that they cannot be ahead of it.
  const { own, anchored } = await readPublished(configuration);
  const kept = options.checkpoint === undefined ? null : await readIfThere(session.path(options.checkpoint));
  // One of a log that ended says nothing of the one that is written.
  const ofEarlier = kept !== null && originOf(kept) !== configuration.log.origin;
  const checkpoint = options.checkpoint === undefined || ofEarlier ? own : kept;
  const storage = await readDatabase(configuration, session.terminal.environment);
  try {
    const report = await verifyAuthorityLog({
      storage,
      checkpoint,
      anchored,
      earlierCheckpoint: ofEarlier ? kept : null,
      verifierKey,
      progress: progressOn(session),
    });
    session.print(report, () => words(session, report));
    return report.ok ? exitCodes.ok : exitCodes.unverified;
  } finally {
    await storage.close();
  }
}

/** Needs nothing but the folder and the key. */
async function verifyExported(
  session: Session,
  folder: string,
  { logKey, checkpoint: file }: VerifyOptions,
): Promise<ExitCode> {
  const { parseVerifierKey, verifierKeyFor, verifyTiles } = await import('#audit');
  const { originOf } = await import('#authority');
  const noted = logKey ?? (await configuredKey(session, await session.configuration()));
  const files = new TileFolder(session.path(folder));
  const note = file === undefined ? await files.checkpoint() : await readIfThere(session.path(file));
  if (note === null) throw new SallyportError('usage', `there is no checkpoint in ${folder}`);
  // A restore gives the log another name, and keeps its key: before and after it, one that was noted once will do.
  const checkpoint = await signedCheckpoint(note, verifierKeyFor(originOf(note), noted));
  await verifyTiles(files, checkpoint);
  const { verifyDocuments } = await import('../verify/verify-documents.ts');
  const documents = await verifyDocuments(files, checkpoint);
  const { origin, size } = checkpoint;
  const root = Buffer.from(checkpoint.root).toString('base64');
  session.print({ ok: true, origin, size, root, documents }, () => {
    const { name } = parseVerifierKey(noted);
    const counted = formatFields([
      ['log', printable(origin)],
      [
        'the key is of',
        name === origin
          ? null
          : `${printable(name)}: another log of this authority, before or after a restore`,
      ],
      ['entries', String(size)],
      ['root', root],
      ['personal fields', documentWords(documents)],
    ]);
    return `${counted}\n${session.paint.good('The log verifies.')} Every entry and every hash is under the signed checkpoint.\n`;
  });
  return exitCodes.ok;
}

/** What is not there cannot be derived, wherever references and policies are. */
function documentWords({ there, erased, absent }: DocumentCounts): string {
  const parts = [
    `of ${there} entries, which are those that were sealed`,
    erased === 0 ? null : `of ${erased} entries erased`,
    absent === 0 ? null : `of ${absent} entries not in this folder: what was seen there cannot be derived`,
  ];
  return parts.filter((part) => part !== null).join('\n');
}

function words(
  { paint }: Session,
  { ok, size, root, requests, acts, earlier, certificates, erased, erasedAndBack, findings }: LogReport,
): string {
  const counted = formatFields([
    [
      'entries',
      `${size}: ${requests} requests, ${acts} acts of operators, ${size - requests - acts} of the authority itself`,
    ],
    ['certificates', String(certificates)],
    [
      'brought back',
      erasedAndBack === 0
        ? null
        : `${erasedAndBack} entries that were erased after the backup: erase their devices again`,
    ],
    ['erased', erased === 0 ? null : `${erased}: judged by their facts, not derived`],
    ['root', root],
    ['before it', listed(earlier.map((log) => `${log.origin}, ${log.size} entries, root ${log.root}`))],
  ]);
  if (ok) {
    return `${counted}\n${paint.good('The log verifies.')} Every hash, every verdict and every certificate is as it was recorded.\n`;
  }
  const list = findings.map(({ index, message }) =>
    wrap(`${index === null ? 'log' : `entry ${index}`}: ${printable(message)}`),
  );
  return `${counted}\n${list.join('\n')}\n\n${paint.bad('The log does not verify.')} Keep these files as they are, and compare with a copy.\n`;
}
