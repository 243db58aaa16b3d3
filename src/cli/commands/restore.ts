import { Command } from 'commander';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { formatFields, listed } from '../render/fields.ts';
import { printable } from '../render/printable.ts';
import type { Finished } from '../restore/finish-restore.ts';
import type { Checked, Done } from '../restore/restore-backup.ts';
import type { SiemExport } from '../restore/siem-export.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach, wrap } from '../teach.ts';
import { progressOn } from '../verify/progress.ts';

export function restoreCommand(run: Run): Command {
  return teach(new Command('restore'), {
    summary: 'Restore a backup into an empty database, under a new log',
    when:
      'After the database was lost, with `serve` ended. Put keys and configuration back first, set the clock, and give the newest backup, with what the SIEM has ' +
      'received if you can get it: what was issued after the backup is revoked then, and what was revoked stays so. The backup is verified before anything is ' +
      'done. Secrets, approvals and requests that were open are void, and ACME accounts end. The log goes on as a new one that names the old: write its name into the configuration as ' +
      'log.origin, on every node, and serve. What nodes keep in log.anchor is read, and kept beside the new log there. With --check nothing is changed: do that with every backup you rely on.',
    examples: [
      'sallyport restore --from ./sallyport-20261122T031500Z.db --check',
      'sallyport restore --from ./sallyport-20261122T031500Z.db --siem-export ./siem.ndjson',
    ],
    exits: [3, 4, 5],
  })
    .requiredOption('--from <file>', "the backup's file of rows; its manifest lies beside it")
    .option('--siem-export <file>', 'lines of the log as its ndjson sink wrote them')
    .option('--forget <log...>', 'logs after the backup, of which nothing more can be had: give them up')
    .option('--check', 'verify the backup and change nothing')
    .option('--log-key <key>', "the log's public key as `init` printed it (default: of the key file)")
    .action(run(restore));
}

interface RestoreOptions {
  readonly from: string;
  readonly siemExport?: string;
  readonly forget?: readonly string[];
  readonly check?: boolean;
  readonly logKey?: string;
}

async function restore(session: Session, options: RestoreOptions): Promise<ExitCode> {
  const { checkBackup, restoreBackup } = await import('../restore/restore-backup.ts');
  const { environment, random } = session.terminal;
  const ports = {
    configuration: await session.configuration(environment),
    environment,
    backup: session.path(options.from),
    siemExport: options.siemExport === undefined ? null : session.path(options.siemExport),
    logKey: options.logKey ?? null,
    forget: options.forget ?? [],
    now: session.now,
    random,
    progress: progressOn(session),
  };
  if (options.check === true) {
    const checked = await checkBackup(ports);
    session.print(
      viewOf(checked),
      () => `${checkedWords(checked)}${endOf(session, checked, 'It can be restored.')}`,
    );
    return exitCodeOf(checked);
  }
  const done = await restoreBackup(ports);
  const configured = ports.configuration.log.origin;
  if (done.finished) {
    session.print({ ok: true, ...done }, () => finishedWords(session, done, configured));
    return exitCodes.ok;
  }
  session.print(doneView(done), () =>
    done.origin === null
      ? `${checkedWords(done)}${endOf(session, done, '')}`
      : doneWords(session, done, done.origin, configured),
  );
  return exitCodeOf(done);
}

function exitCodeOf({ report }: Checked): ExitCode {
  return report.ok ? exitCodes.ok : exitCodes.unverified;
}

function viewOf({ report, manifest, beyond, siem, later, unknown }: Checked) {
  const { origin, size, root, time } = manifest;
  const { ok, certificates, findings } = report;
  const laterLogs = later.map((log) => ({
    origin: log.origin,
    size: log.size,
    isWhole: !unknown.includes(log.origin),
  }));
  return {
    ok,
    backup: { origin, size, root, time },
    certificates,
    beyond,
    later: laterLogs,
    siemExport: siem?.counts ?? null,
    erasedSince: erasedSince(siem),
    findings,
  };
}

function doneView(done: Done) {
  const { finished, origin, restored, keptCheckpoint, keptInAnchor } = done;
  return { ...viewOf(done), finished, origin, restored, keptCheckpoint, keptInAnchor };
}

function checkedWords({ manifest, report, beyond, siem, later, unknown }: Checked): string {
  const laterWords = (log: (typeof later)[number]) =>
    `${log.origin}, ${log.size} entries, ${unknown.includes(log.origin) ? 'NOT all known here' : 'all known by the export'}`;
  const fields = formatFields([
    ['backup of', manifest.time],
    ['log', `${manifest.origin}, ${manifest.size} entries, ${report.certificates} certificates`],
    ...later.map((log): [string, string] => ['a log after it', laterWords(log)]),
    ['published after it', beyond === 0 ? null : `${beyond} entries, which the backup does not have`],
    ['export', siem === null ? null : exportWords(siem)],
    [
      'erased since',
      erasedSince(siem) === 0
        ? null
        : `${erasedSince(siem)} entries, whose personal fields the backup has: erase their devices again`,
    ],
  ]);
  return `${fields}\n`;
}

/** Entries that were erased after the backup. */
function erasedSince(siem: Checked['siem']): number {
  const ranges = (siem?.erased ?? []).flatMap(({ indexes }) => indexes);
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function exportWords({ counts }: SiemExport): string {
  const { entries, proven, unproven, missing } = counts;
  const gaps = missing === 0 ? '' : `; ${missing} are missing`;
  const strict = unproven === 0 ? '' : ', which revoke and suspend and do nothing else';
  return `${entries} entries after the backup: ${proven} proven by a published checkpoint, ${unproven} not proven${strict}${gaps}`;
}

function endOf({ paint }: Session, { report }: Checked, good: string): string {
  if (report.ok) return `${paint.good('The backup verifies.')} ${good}\n`;
  const list = report.findings.map(({ index, message }) =>
    wrap(`${index === null ? 'log' : `entry ${index}`}: ${printable(message)}`),
  );
  return `${list.join('\n')}\n\n${paint.bad('The backup does not verify.')} Nothing was restored: take another one.\n`;
}

function doneWords({ paint }: Session, done: Done, origin: string, configured: string): string {
  const { restored, beyond, siem, keptCheckpoint, keptInAnchor } = done;
  const { secrets, approvals, requests, intents, machineCredentials, lost, revoked, stopped } = restored!;
  const { externalAccountKeys, accounts } = restored!;
  const ended = formatFields([
    ['void now', `${secrets} secrets, ${approvals} approvals, ${requests} requests, ${intents} intents`],
    [
      'ended',
      machineCredentials === 0
        ? null
        : `${machineCredentials} tokens and certificates of machines: give them new ones (machine rotate, machine pin)`,
    ],
    [
      'also ended',
      accounts === 0
        ? null
        : `${accounts} ACME accounts without an external account key: their clients make new ones`,
    ],
    [
      'accounts',
      externalAccountKeys === 0
        ? null
        : `${externalAccountKeys} external account keys are void, and the ACME accounts made with them: give their owners new ones (eab create)`,
    ],
    ['revoked', siem === null ? null : `${lost} certificates issued after the backup, ${revoked} of its own`],
    ['stopped', stopped === 0 ? null : `${stopped} devices that were suspended or retired after the backup`],
    ['old checkpoint', keptCheckpoint],
    ['of the anchor', listed(keptInAnchor)],
  ]);
  const whole =
    (siem?.counts.missing ?? 0) === 0 &&
    (beyond === 0 ? done.published !== null : siem?.counts.proven === beyond);
  const unknown = whole
    ? ''
    : `\n${wrap(
        'What was issued or revoked after the backup is not all known here. Certificates that are not known cannot renew, and stay valid until they ' +
          'end; compare the newest CRL that relying parties have with the next one of this authority.',
      )}\n`;
  return `${checkedWords(done)}${ended}${unknown}
${nameWords(paint, origin, configured)}`;
}

function finishedWords({ paint }: Session, done: Finished, configured: string): string {
  const kept = formatFields([
    ['old checkpoint', done.keptCheckpoint],
    ['of the anchor', listed(done.keptInAnchor)],
  ]);
  return `An earlier restore of this backup had put the database in place and was ended then; what was left to do is done.
${kept}
${nameWords(paint, done.origin, configured)}`;
}

function nameWords(paint: Session['paint'], origin: string, configured: string): string {
  return `${paint.good('Restored.')} The log goes on under a new name. Before you serve, replace in the configuration
  origin: ${configured}
by
  origin: ${origin}
and tell those who check the log. What signs it is the same key.
`;
}
