import { Command, Option } from 'commander';
import type { ImportProblem, ImportReport } from '#admin';
import { isSallyportError, SallyportError } from '#errors';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { readNamedFile } from '../files.ts';
import { formatTable } from '../render/table.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface ImportOptions {
  readonly format?: 'csv' | 'json';
  readonly dryRun?: boolean;
  readonly approveFor?: readonly string[];
}

export function deviceImport(run: Run): Command {
  return teach(new Command('import'), {
    summary: 'Import devices from a CSV or JSON list',
    when:
      'Before devices enroll: only known devices get anything. The list has the columns id and class, and where you have them serial_number, ' +
      'owner, state (expected or active) and names such as dns_name, from which templates build subjects. Devices that exist are updated, their state ' +
      'excepted. All or nothing: with one bad row nothing is imported, and every bad row is shown. A long list goes in by parts of 1,000, between which ' +
      'devices enroll; where that breaks off, the message says how many are imported, and the same list again finishes it. --approve-for approves each ' +
      'device beforehand for those of the templates that its class may have: for clients that cannot wait for an operator. The approval takes the ' +
      'place of one that is still open, and a device that is active already gets none: `sallyport device approve` is for that.',
    examples: [
      'sallyport device import devices.csv --dry-run',
      'sallyport device import devices.csv --approve-for device',
    ],
    exits: [3, 4],
  })
    .argument('<file>', 'the list; - reads standard input')
    .addOption(
      new Option('--format <format>', 'of the list (default: by the name of the file)').choices([
        'csv',
        'json',
      ]),
    )
    .option('--dry-run', 'check the list and change nothing')
    .option('--approve-for <template...>', 'approve beforehand for these templates')
    .action(run(importList));
}

/** Escaped in JSON it still fits what the authority takes at once. */
const maximumBytes = 32 * 1024 * 1024;

async function importList(session: Session, file: string, options: ImportOptions): Promise<ExitCode> {
  const format = options.format ?? formatByName(file);
  const bytes = file === '-' ? await session.terminal.readInput() : await readNamedFile(session.path(file));
  if (bytes.length > maximumBytes) {
    throw new SallyportError('too-large', `${file} has more than 32 MiB; split it and import the parts`);
  }
  const list = decode(bytes, file);
  const dryRun = options.dryRun === true;
  const approveFor = [...(options.approveFor ?? [])];
  const report = await session
    .perform('importDevices', { format, list, dryRun, approveFor })
    .catch((error: unknown) => {
      throw dryRun || !isLost(error) ? error : lostWords(error);
    });
  session.print(report, () => importWords(session, report, dryRun));
  return report.problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The authority went away with the list in its hand: it was reached, and gave no answer. */
function isLost(error: unknown): error is SallyportError {
  if (!isSallyportError(error, 'store') || !(error.cause instanceof Error)) return false;
  const { code } = error.cause as NodeJS.ErrnoException;
  return code !== 'ECONNREFUSED' && code !== 'ENOENT' && code !== 'EACCES';
}

function lostWords(cause: SallyportError): SallyportError {
  return new SallyportError(
    'store',
    'the authority gave no answer: some of the devices may be imported. Import the same list again, which finishes it; --dry-run says how many of it are there',
    { cause },
  );
}

function formatByName(file: string): 'csv' | 'json' {
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.json$/i.test(file)) return 'json';
  throw new SallyportError(
    'usage',
    `${file} does not say by its name what it is; give --format csv or --format json`,
  );
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SallyportError('usage', `${file} is not UTF-8; save it as "CSV UTF-8" or as JSON`, { cause });
  }
}

function importWords({ paint }: Session, report: ImportReport, dryRun: boolean): string {
  const { devices, created, updated, approvedFor, approvals, problems } = report;
  if (problems.length > 0) {
    const many = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    return `${problemTable(problems)}\n${paint.bad(`The list has ${many}; nothing was imported.`)}\n`;
  }
  const approved =
    approvedFor.length === 0 ? '' : `; ${approvals} approved beforehand for ${approvedFor.join(', ')}`;
  const words = `${devices} devices: ${created} new, ${updated} updated${approved}`;
  if (dryRun) return `${words}.\nA dry run: nothing was changed.\n`;
  return report.imported
    ? `${paint.good('Imported')} ${words}.\n`
    : 'The list is empty; nothing was changed.\n';
}

function problemTable(problems: readonly ImportProblem[]): string {
  const columns = [
    { title: 'ROW', align: 'right' as const },
    { title: 'COLUMN', shrinkTo: 12 },
    { title: 'PROBLEM', shrinkTo: 60 },
  ];
  return formatTable(
    columns,
    problems.map(({ row, column, message }) => [row === null ? '-' : String(row), column ?? '-', message]),
  );
}
