import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { SallyportError } from '#errors';
import { type AnchoredFormat, anchoredFormats, type AssuranceLevel, assuranceLevels } from '#evidence';
import type { Configuration } from '#config';
import { formatFields } from '../render/fields.ts';
import { printable } from '../render/printable.ts';
import { describeTime, wholeSeconds } from '../render/time.ts';
import type { NewSet } from '../roots/new-set.ts';
import type { RootView } from '../roots/root-view.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface ImportOptions {
  readonly format?: AnchoredFormat;
  readonly name?: string;
  readonly level?: AssuranceLevel;
  readonly intermediates: readonly string[];
  readonly fingerprint: readonly string[];
  readonly replace?: boolean;
}

export function rootsImport(run: Run): Command {
  return teach(new Command('import'), {
    summary: 'Look at root certificates of attestation, and take them',
    when:
      'Before devices attest: it says what each certificate of the files is, and whose, by a table of the fingerprints that vendors publish. With --format and --name they ' +
      'become a set: they are written beside the configuration as roots/NAME.pem, and the lines for attestation.roots are printed. The project has no root ' +
      'certificates itself: get them from their vendors.\n' +
      'All are refused where one is not in date, no CA, of a weak key, known for another format or level, or known to nobody: then compare its SHA-256 with what ' +
      'its owner says by another way, and give it with --fingerprint. Of --intermediates those are taken that lead to the roots.',
    examples: [
      'sallyport roots import vendors.pem',
      'sallyport roots import infineon.pem --format endorsement --name infineon --intermediates cas.pem',
      'sallyport roots import google.pem --format android-key --name google --replace',
    ],
    exits: [3],
  })
    .addArgument(new Argument('<file...>', 'PEM or DER, of several certificates or one'))
    .addOption(
      new Option('--format <format>', 'of the evidence they are to vouch for').choices(anchoredFormats),
    )
    .option('--name <name>', 'of the set in the configuration', checkName)
    .addOption(
      new Option('--level <level>', 'of the hardware below them (default: what the roots decide)').choices(
        assuranceLevels,
      ),
    )
    .option(
      '--intermediates <file>',
      'CAs below them, for devices that send none; may be repeated',
      collect,
      [],
    )
    .option(
      '--fingerprint <sha256>',
      'of a root that nobody knows, and that was compared; may be repeated',
      collectFingerprint,
      [],
    )
    .option('--replace', 'put them into the place of the set that is there')
    .action(run(importRoots));
}

async function importRoots(
  session: Session,
  files: readonly string[],
  options: ImportOptions,
): Promise<void> {
  const { readDistinct } = await import('../roots/read-certificates.ts');
  const { rootView } = await import('../roots/root-view.ts');
  const { format, name, level = null } = options;
  const roots = await readDistinct(files.map((file) => session.path(file)));
  if (format === undefined || name === undefined) {
    demandNothingElse(options);
    const views = roots.map((root) => rootView(root, null, session.now));
    session.print({ certificates: views }, () => views.map((view) => words(session, view)).join('\n'));
    return;
  }
  const { newSet, setPem } = await import('../roots/new-set.ts');
  const intermediates = await readDistinct(options.intermediates.map((file) => session.path(file)));
  const configuration = await session.configuration();
  const asked = { name, format, level, fingerprints: options.fingerprint };
  const set = newSet(roots, intermediates, asked, session.now);
  const written = await write(
    session,
    configuration,
    name,
    {
      roots: setPem(set.roots),
      intermediates: set.intermediates.length === 0 ? null : setPem(set.intermediates),
    },
    options.replace === true,
  );
  const views = set.roots.map((root) => rootView(root, { format, level: set.level }, session.now));
  const counts = { intermediates: set.intermediates.length, leftOut: set.leftOut.length };
  session.print({ name, format, level: set.level, ...counts, files: written, certificates: views }, () =>
    [
      ...views.map((view) => words(session, view)),
      `${takenWords(set)}\n`,
      nextWords(configuration, {
        name,
        format,
        ...set,
        files: written,
        // What no vendor publishes somebody has compared.
        fingerprints: views.some(({ known }) => known === null) ? views.map(({ sha256 }) => sha256) : [],
      }),
    ].join('\n'),
  );
}

function demandNothingElse({
  format,
  name,
  level,
  intermediates,
  fingerprint,
  replace,
}: ImportOptions): void {
  const isLooking =
    format === undefined && name === undefined && level === undefined && replace === undefined;
  if (isLooking && intermediates.length === 0 && fingerprint.length === 0) return;
  throw new SallyportError(
    'usage',
    'a set of roots needs --format and --name; without any option the certificates are only shown',
  );
}

/** The intermediates first: a set is never without the ones that it needs. Paths as the configuration writes them. */
async function write(
  session: Session,
  { directory }: Configuration,
  name: string,
  texts: { readonly roots: Uint8Array; readonly intermediates: Uint8Array | null },
  replace: boolean,
): Promise<readonly string[]> {
  const { join } = await import('node:path');
  const { mkdir } = await import('node:fs/promises');
  const { demandReplaceable, putFile, readableByAll } = await import('../replace-file.ts');
  const files = [
    { path: `roots/${name}.pem`, bytes: texts.roots },
    ...(texts.intermediates === null
      ? []
      : [{ path: `roots/${name}-intermediates.pem`, bytes: texts.intermediates }]),
  ];
  const how = { replace, mode: readableByAll, random: session.terminal.random };
  await mkdir(join(directory, 'roots'), { recursive: true, mode: 0o755 });
  for (const { path, bytes } of files) await demandReplaceable(join(directory, path), bytes, how);
  for (const { path, bytes } of files.toReversed()) await putFile(join(directory, path), bytes, how);
  return files.map(({ path }) => path);
}

function words({ paint, now }: Session, view: RootView): string {
  const { known, subject, issuer, sha256, notBefore, notAfter, key, kind, concerns } = view;
  const title = known === null ? 'unknown' : `${known.vendor}: ${known.name}`;
  const fields = formatFields([
    ['  subject', printable(subject)],
    ['  SHA-256', sha256],
    ['  from', wholeSeconds(notBefore)],
    ['  until', describeTime(notAfter, now)],
    ['  key', key],
    [
      '  kind',
      {
        root: 'root: it signs itself',
        unread: 'root by its name: its signature is of a kind that is not verified here',
        forged: 'forged: it names itself as its issuer',
        intermediate: `intermediate, of ${printable(issuer)}`,
      }[kind],
    ],
    [
      '  vouches for',
      known && `${known.formats.join(', ')}${known.level === null ? '' : ` of level ${known.level}`}`,
    ],
  ]);
  const against = concerns.map(({ detail }) => `  ${paint.bad(detail)}\n`).join('');
  return `${paint.strong(title)}\n${fields}${against}`;
}

function takenWords({ roots, intermediates, leftOut }: NewSet): string {
  const left =
    leftOut.length === 0
      ? ''
      : `; ${leftOut.length} were left out, which lead to none of the roots, are not in date, no CAs or of weak keys`;
  return `${roots.length} roots and ${intermediates.length} intermediates were written${left}.`;
}

function nextWords(
  { attestation, directory, file }: Configuration,
  set: {
    readonly name: string;
    readonly format: string;
    readonly level: string | null;
    readonly files: readonly string[];
    readonly fingerprints: readonly string[];
  },
): string {
  const [roots, intermediates] = set.files;
  const isThere = attestation.roots.some(
    ({ name, files }) => name === set.name && files.includes(`${directory}/${roots}`),
  );
  if (isThere) return `${file} names them already: they are in force with the next reload.\n`;
  const lines = [
    'attestation:',
    '  roots:',
    `    ${set.name}:`,
    `      format: ${set.format}`,
    `      certificates: [${roots}]`,
    ...(intermediates === undefined ? [] : [`      intermediates: [${intermediates}]`]),
    ...(set.level === null ? [] : [`      level: ${set.level}`]),
    ...(set.fingerprints.length === 0
      ? []
      : [
          '      fingerprints:',
          ...set.fingerprints.map((each) => `        - ${each.replaceAll(':', '').toLowerCase()}`),
        ]),
  ];
  return `For ${file}, and then a reload:\n\n${lines.join('\n')}\n`;
}

function checkName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(text)) {
    throw new InvalidArgumentError('A name has lower-case letters, digits and hyphens.');
  }
  return text;
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

function collectFingerprint(text: string, before: readonly string[]): string[] {
  const sha256 = text.replace(/[:\s]/g, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InvalidArgumentError('It is 64 hexadecimal digits.');
  return [...before, sha256];
}
