import { Command } from 'commander';
import type { ActResult } from '#admin';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { formatFields, listed, orDash } from '../render/fields.ts';
import { printable } from '../render/printable.ts';
import { describeTime, relativeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

type Status = ActResult<'showStatus'>;

export function statusCommand(run: Run): Command {
  return teach(new Command('status'), {
    summary: 'How the running authority is: log, CRLs, receivers, jobs, database',
    when:
      'First, when something seems wrong. What needs somebody is said at the end, and then the exit code is 1: a job that fails, a CRL that has ended, a ' +
      'listener whose certificate ends, a list of revoked keys that has ended or is too old, a receiver of the log that is far behind, a log that is not signed to its end. Each node tells of itself.',
    examples: ['sallyport status', 'sallyport status --json'],
    exits: [1, 3, 4],
  }).action(run(status));
}

/** Entries that a receiver may lag: a busy authority writes them in a few seconds. */
const behindAtMost = 10_000;

async function status(session: Session): Promise<ExitCode> {
  const found = await session.perform('showStatus', {});
  const concerns = concernsOf(found);
  session.print({ ok: concerns.length === 0, ...found, concerns }, () => words(session, found, concerns));
  return concerns.length === 0 ? exitCodes.ok : exitCodes.failed;
}

function concernsOf({ jobs, listeners, crls, statusLists, sinks, log, time }: Status): string[] {
  return [
    ...listeners.flatMap(({ name, certificate }) => {
      const words = certificate === null ? null : endWords(certificate, time);
      return words === null ? [] : [`the certificate of listener ${name} ${words}`];
    }),
    ...jobs.filter(({ fault }) => fault !== null).map(({ name, fault }) => `${name}: ${fault}`),
    ...crls
      .filter(({ nextUpdate }) => nextUpdate === null || nextUpdate <= time)
      .map(
        ({ issuer, nextUpdate }) =>
          `the CRL of ${issuer} ${nextUpdate === null ? 'was never issued' : 'has ended'}`,
      ),
    ...statusLists.flatMap((list) => {
      const words = listWords(list, Date.parse(time));
      return words === null ? [] : [words];
    }),
    ...sinks
      .filter(({ behind }) => behind > behindAtMost)
      .map(({ name, behind }) => `${name} has not acknowledged ${behind} entries`),
    ...(log.size - log.signed > behindAtMost ? [`${log.size - log.signed} entries are not signed yet`] : []),
  ];
}

/** A list that has ended is said though no class asks for a new one: what was revoked since is believed. */
export function listWords(
  { format, issuer, takenAt, nextUpdate, maximumAgeSeconds }: Status['statusLists'][number],
  time: number,
): string | null {
  const list = `the list of revoked keys of ${format}${issuer === null ? '' : ` by ${issuer}`}`;
  const devices =
    maximumAgeSeconds === null
      ? 'what was revoked since is believed'
      : 'none of its devices gets a certificate';
  if (nextUpdate !== null && Date.parse(nextUpdate) < time) {
    return `${list} has ended on ${nextUpdate}: ${devices}`;
  }
  const isOld = maximumAgeSeconds !== null && Math.abs(time - Date.parse(takenAt)) > maximumAgeSeconds * 1000;
  return isOld ? `${list} is of ${takenAt}, too old for a class: ${devices}` : null;
}

/** Whoever renews it does so long before the last tenth of its life. null: nobody need know. */
function endWords(certificate: { notBefore: string; notAfter: string }, time: string): string | null {
  const end = Date.parse(certificate.notAfter);
  const left = end - Date.parse(time);
  if (left <= 0) return 'has ended: no client connects';
  return left < (end - Date.parse(certificate.notBefore)) / 10 ? `ends on ${certificate.notAfter}` : null;
}

function words({ paint, now }: Session, found: Status, concerns: readonly string[]): string {
  const { version, node, startedAt, listeners, database, log, crls, sinks, nodes, jobs, residentBytes } =
    found;
  const { kind, operations, commits, failures } = database;
  const fields = formatFields([
    ['version', version],
    ['node', node],
    [
      'other nodes',
      nodes.length === 0
        ? null
        : listed(
            nodes.map(
              ({ name, differs }) =>
                `${name}  ${differs.length === 0 ? 'judges alike' : `judges otherwise: ${differs.join(', ')}`}`,
            ),
          ),
    ],
    ['since', describeTime(startedAt, now)],
    [
      'listeners',
      listed(
        listeners.map(({ name, where, certificate }) =>
          certificate === null
            ? `${name}  ${where}`
            : `${name}  ${where}, certificate until ${describeTime(certificate.notAfter, now)}`,
        ),
      ),
    ],
    [
      'database',
      `${kind}: ${operations} operations in ${commits} commits, ${failures} undone, since the start`,
    ],
    ['log', `${log.size} entries, signed to ${log.signed}`],
    [
      'receivers',
      listed(sinks.map(({ name, behind }) => `${name}  ${behind === 0 ? 'has all' : `${behind} behind`}`)),
    ],
    [
      'CRLs',
      listed(
        crls.map(({ issuer, number, nextUpdate }) =>
          nextUpdate === null
            ? `${issuer}  none`
            : `${issuer}  number ${orDash(number)}, until ${describeTime(nextUpdate, now)}`,
        ),
      ),
    ],
    [
      'keys that attest for several devices',
      found.attestationKeys.length === 0
        ? null
        : listed(
            found.attestationKeys.map(
              ({ spki, format, devices }) => `${devices} devices  ${format} ${spki.slice(0, 16)}…`,
            ),
          ),
    ],
    [
      'revoked keys',
      listed(
        found.statusLists.map(
          ({ format, issuer, takenAt, entries }) =>
            `${format}  ${issuer === null ? '' : `${printable(issuer)}: `}${entries}, of ${describeTime(takenAt, now)}`,
        ),
      ),
    ],
    [
      'jobs',
      listed(
        jobs.map(
          ({ name, succeededAt }) =>
            `${name}  ${succeededAt === null ? 'not yet' : relativeTime(Date.parse(succeededAt), now)}`,
        ),
      ),
    ],
    ['memory', `${Math.round(residentBytes / 1_048_576)} MB`],
    ['policies', found.policies],
    ['references', found.references],
  ]);
  const end =
    concerns.length === 0
      ? paint.good('Nothing needs you.')
      : `${concerns.map((concern) => `${printable(concern)}\n`).join('')}${paint.bad('This needs somebody.')}`;
  return `${fields}\n${end}\n`;
}
