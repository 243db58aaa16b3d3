import type { CallEntry, CallSource, Entry, RequestEntry } from '#enrollment';
import { formatFields, listed, shown } from './render/fields.ts';
import { type Paint, paintState } from './render/paint.ts';
import { printable } from './render/printable.ts';
import { describeTime, wholeSeconds } from './render/time.ts';
import type { Session } from './session.ts';
import { wrap } from './teach.ts';

/** An entry as the authority gives it, decoded. One of a later version is shown as it is. */
export function asEntry(entry: object): Entry | null {
  const { type, version } = entry as Partial<Entry>;
  const known =
    (type === 'request' || type === 'act' || type === 'call' || type === 'authority') &&
    (version === 1 || version === 2);
  if (!known) return null;
  return isErased(entry) && type === 'request' ? withoutNames(entry as RequestEntry) : (entry as Entry);
}

const gone = '(erased)';

/** It names a document that is not there. */
function isErased(entry: object): boolean {
  return 'sealed' in entry;
}

/** What words need is there again, as a blank. What the entry has itself comes last, and stands. */
function withoutNames(entry: RequestEntry): RequestEntry {
  const { observations, verdict, error } = entry;
  const { source, device, presenter } = observations;
  return {
    ...entry,
    error: error === null ? null : filled({ message: gone }, error),
    verdict: { ...verdict, objections: verdict.objections.map((each) => filled({ detail: '' }, each)) },
    observations: {
      ...observations,
      source: filled({ address: gone }, source),
      device: device === null ? null : filled({ id: gone }, device),
      presenter: presenter === null ? null : filled({ hardwareModule: null }, presenter),
    },
  };
}

function filled<Value extends object>(blanks: Partial<Value>, value: Value): Value {
  return { ...blanks, ...value };
}

/** Of an entry whose document is not there. */
function erasedWords(entry: object): string | null {
  return isErased(entry) ? 'not there any more: erased, or taken away' : null;
}

const widths = { index: 7, time: 20, what: 18, who: 16, about: 31 } as const;

/** One line of 100 columns: index, time, what was done, by or for whom, and about what. */
export function entryLine(index: number, raw: object, paint: Paint): string {
  const entry = asEntry(raw);
  if (entry === null) return `${String(index).padStart(widths.index)}  (an entry of another version)`;
  const { what, who, about } = gist(entry);
  const time = wholeSeconds(new Date(entry.time).toISOString());
  const painted = what.padEnd(widths.what).replace(what, (text) => paintState(text, paint));
  const parts = [
    String(index).padStart(widths.index),
    paint.faint(time),
    painted,
    cut(printable(who), widths.who).padEnd(widths.who),
    cut(printable(about), widths.about),
  ];
  return parts.join('  ').trimEnd();
}

function gist(entry: Entry): { what: string; who: string; about: string } {
  switch (entry.type) {
    case 'act':
      return { what: entry.act, who: entry.operator, about: detailWords(entry.detail) };
    case 'call': {
      const { outcome, act, machine, reason, source, detail } = entry;
      const about = [act ?? 'nothing', reason, detailWords(detail)].filter(
        (each) => each !== null && each !== '',
      );
      const who = machine === null ? (source.address ?? gone) : `machine:${machine}`;
      return { what: outcome === 'done' ? (act ?? outcome) : outcome, who, about: about.join(' ') };
    }
    case 'authority':
      return { what: entry.event, who: '(authority)', about: detailWords(entry.detail) };
    case 'request': {
      const { outcome, observations, verdict } = entry;
      const { operation, template, address } = observations.source;
      const objections = verdict.objections.map(({ control }) => control);
      const about = [template ?? operation, ...objections].join(' ');
      return { what: outcome, who: observations.device?.id ?? address, about };
    }
  }
}

/** The values that a person knows something by. */
function detailWords(detail: Readonly<Record<string, unknown>>): string {
  const names = [
    'device',
    'template',
    'request',
    'machine',
    'secret',
    'externalAccountKey',
    'account',
    'listener',
    'serialNumber',
    'reason',
    'issuer',
    'operator',
    'changed',
    'count',
  ];
  const words = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return names
    .flatMap((name) => (detail[name] === undefined || detail[name] === null ? [] : [words(detail[name])]))
    .join(' ');
}

/** Everything that matters of one entry. `where` it stands: its index. */
export function entryWords(session: Session, where: string, raw: object): string {
  const entry = asEntry(raw);
  if (entry?.type === 'request') return requestEntryWords(session, where, entry);
  if (entry?.type === 'call') return callEntryWords(session, where, entry);
  const title =
    entry === null ? null : entry.type === 'act' ? `${entry.act} by ${entry.operator}` : entry.event;
  const detail = entry === null ? raw : entry.detail;
  return formatFields([
    ['entry', where],
    ['id', entry?.id ?? null],
    ['time', entry === null ? null : describeTime(new Date(entry.time).toISOString(), session.now)],
    ['what', shown(title)],
    ['from', entry?.type === 'act' && entry.source !== undefined ? sourceWords(entry.source) : null],
    ...Object.entries(detail).map(([name, value]) => [printable(name), valueWords(value)] as const),
    ['personal fields', erasedWords(raw)],
  ]);
}

function callEntryWords({ paint, now }: Session, where: string, entry: CallEntry): string {
  const { id, time, outcome, act, machine, reason, error, source, detail } = entry;
  return formatFields([
    ['entry', where],
    ['id', id],
    ['time', describeTime(new Date(time).toISOString(), now)],
    ['outcome', paintState(outcome, paint)],
    ['asked', act === null ? 'for nothing that there is' : printable(act)],
    ['machine', machine === null ? 'none that is known' : printable(machine)],
    ['from', sourceWords(source)],
    ['refused by', shown(reason)],
    ['error', error === null ? null : `${error.code}: ${printable(error.message ?? gone)}`],
    ...Object.entries(detail).map(([name, value]) => [printable(name), valueWords(value)] as const),
    ['personal fields', erasedWords(entry)],
  ]);
}

function sourceWords({ address, listener, tls }: CallSource): string {
  const over = tls === null ? '' : `, ${tls.version} ${tls.cipher}`;
  return printable(`${address ?? gone} at listener ${listener}${over}`);
}

function requestEntryWords({ paint, now }: Session, where: string, entry: RequestEntry): string {
  const { observations, verdict, certificate, error, certificationRequest: kept } = entry;
  const { source, device, key, secret, challenge, workflows, approval, presenter, request } = observations;
  const objections = verdict.objections.map(({ control, title, detail }) =>
    wrap(`${control}: ${printable(detail === '' ? title : detail)}`, 80),
  );
  return formatFields([
    ['entry', where],
    ['id', entry.id],
    ['time', describeTime(new Date(entry.time).toISOString(), now)],
    ['outcome', paintState(entry.outcome, paint)],
    ['verdict', `${paintState(verdict.decision, paint)} (${entry.action})`],
    ['objections', objections.join('\n')],
    ['error', error === null ? null : `${error.code}: ${printable(error.message)}`],
    [
      'asked',
      printable(
        `${source.protocol} ${source.operation}${source.template === null ? '' : ` for ${source.template}`}`,
      ),
    ],
    ['from', sourceWords(source)],
    ['device', device === null ? null : printable(`${device.id} (${device.deviceClass}, ${device.state})`)],
    [
      'key',
      key === null
        ? null
        : key.spki === null
          ? `${printable(key.algorithm)}, made by the authority`
          : `${printable(key.algorithm)}, SHA-256 ${key.spki}`,
    ],
    [
      'channel binding',
      request === null || request.channelBinding === 'absent' ? null : request.channelBinding,
    ],
    [
      'secret',
      secret === null
        ? null
        : printable(secret.id === null ? 'unknown' : `${secret.id} (${secret.state ?? 'unknown'})`),
    ],
    ['challenge', challenge === undefined ? null : challengeWords(challenge)],
    ['workflows', workflows?.map(workflowWords).join('\n') ?? null],
    ['presenter', presenter === null ? null : presenterWords(presenter, entry)],
    [
      'approval',
      approval === null
        ? null
        : printable(`${approval.id} by ${approval.by}, lifts ${approval.lifts.join(', ')}`),
    ],
    [
      'request',
      // An entry of before has no such member.
      kept === null || kept === undefined
        ? null
        : `kept ${kept.original === null ? 'as it came' : 'without its challenge'}; --csr shows it`,
    ],
    [
      'certificate',
      certificate === null ? null : `${certificate.serialNumber}\nSHA-256 ${certificate.sha256}`,
    ],
    ['personal fields', erasedWords(entry)],
    ['references', entry.references],
    ['policies', entry.policies],
  ]);
}

function challengeWords(challenge: NonNullable<RequestEntry['observations']['challenge']>): string {
  if (challenge.kind === 'workflow') return 'for the workflows to answer for';
  return challenge.matches ? 'the static one of the template' : 'not the static one of the template';
}

function workflowWords({
  name,
  decision,
  code,
  device,
}: NonNullable<RequestEntry['observations']['workflows']>[number]): string {
  const words = `${name}: ${decision} (${code})${device === 'other' ? ', of another device' : ''}`;
  return printable(words);
}

function presenterWords(
  { sha256, path, hardwareModule }: NonNullable<RequestEntry['observations']['presenter']>,
  { facts }: RequestEntry,
): string {
  const kind = facts.context.identity?.kind;
  const lines = [
    `certificate ${sha256}${kind === undefined || kind === 'none' ? '' : ` (${kind})`}`,
    ...(hardwareModule === null ? [] : [`names hardware ${printable(hardwareModule.serialNumber)}`]),
    ...path.slice(1).map((ca) => `under ${ca.sha256}`),
  ];
  return lines.join('\n');
}

function valueWords(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return shown(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return listed(value);
  return printable(JSON.stringify(value));
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
