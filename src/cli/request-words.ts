import type { RequestView } from '#admin';
import { formatFields, listed, shown } from './render/fields.ts';
import { paintState } from './render/paint.ts';
import { printable } from './render/printable.ts';
import { describeTime } from './render/time.ts';
import type { Session } from './session.ts';
import { wrap } from './teach.ts';

const wordsWidth = 80;

/** All that an operator decides by. */
export function requestWords({ paint, now }: Session, request: RequestView): string {
  const objections = request.objections.map(({ control, title, detail }) =>
    wrap(`${control}: ${printable(title)}.${detail === title ? '' : `\n${printable(detail)}`}`, wordsWidth),
  );
  const decided =
    request.decidedAt === null
      ? null
      : `${describeTime(request.decidedAt, now)}${request.decidedBy === null ? '' : ` by ${request.decidedBy}`}`;
  return formatFields([
    ['request', paint.strong(request.id)],
    ['state', paintState(request.state, paint)],
    ['device', shown(request.device)],
    ['template', shown(request.template)],
    ['subject', shown(request.subject)],
    ['names', listed(request.subjectAltName)],
    ['key', `${request.keyAlgorithm}, SHA-256 ${request.spki}`],
    ['evidence', evidenceWords(request.evidence)],
    [
      'asked by',
      `${request.protocol} ${request.operation} (${request.action}) from ${printable(request.address)}`,
    ],
    ['first seen', describeTime(request.firstSeen, now)],
    ['last seen', describeTime(request.lastSeen, now)],
    ['decided', decided],
    ['objections', objections.join('\n')],
  ]);
}

function evidenceWords(evidence: RequestView['evidence']): string | null {
  if (evidence === null) return null;
  const { format, versions, attestingKey } = evidence.said;
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const words = [format, ...said, ...(attestingKey === null ? [] : [`by key ${attestingKey}`])];
  return printable(words.join(', '));
}
