import type { AccountView, CertificateView, ExternalAccountKeyView, RequestView, SecretView } from '#admin';
import { paintState } from './render/paint.ts';
import { formatTable } from './render/table.ts';
import { describeTime, relativeTime } from './render/time.ts';
import type { Session } from './session.ts';

/** Tables that more than one command prints. */

export function certificateTable({ paint, now }: Session, certificates: readonly CertificateView[]): string {
  const columns = [
    { title: 'SERIAL NUMBER' },
    { title: 'DEVICE', shrinkTo: 12 },
    { title: 'TEMPLATE', shrinkTo: 8 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'ENDS' },
  ];
  const row = ({ serialNumber, device, template, state, notAfter }: CertificateView) => [
    serialNumber,
    device,
    template,
    state,
    `${notAfter.slice(0, 10)} (${relativeTime(Date.parse(notAfter), now)})`,
  ];
  return formatTable(columns, certificates.map(row));
}

export function secretTable({ paint, now }: Session, secrets: readonly SecretView[]): string {
  const columns = [
    { title: 'SECRET' },
    { title: 'DEVICE', shrinkTo: 12 },
    { title: 'TEMPLATE', shrinkTo: 8 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'EXPIRES' },
    { title: 'BY', shrinkTo: 8 },
  ];
  const row = ({ id, device, template, state, expiresAt, createdBy }: SecretView) => [
    id,
    device ?? '-',
    template,
    state,
    describeTime(expiresAt, now),
    createdBy,
  ];
  return formatTable(columns, secrets.map(row));
}

export function externalAccountKeyTable(
  { paint, now }: Session,
  keys: readonly ExternalAccountKeyView[],
): string {
  const columns = [
    { title: 'KEY' },
    { title: 'DEVICE', shrinkTo: 8 },
    { title: 'TEMPLATES', shrinkTo: 8 },
    { title: 'NAMES', shrinkTo: 8 },
    { title: 'APPROVED', shrinkTo: 8 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'EXPIRES' },
  ];
  const row = (key: ExternalAccountKeyView) => [
    key.id,
    key.device,
    key.templates.join(' '),
    key.names?.join(' ') ?? '(any)',
    key.approvedBy ?? '-',
    key.state,
    key.state === 'live' ? describeTime(key.expiresAt, now) : '-',
  ];
  return formatTable(columns, keys.map(row));
}

export function accountTable({ paint }: Session, accounts: readonly AccountView[]): string {
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'DEVICE', shrinkTo: 8 },
    { title: 'TEMPLATES', shrinkTo: 8 },
    { title: 'NAMES', shrinkTo: 8 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'KEY' },
  ];
  const row = ({ id, device, templates, names, status, keyState, externalAccountKey }: AccountView) => [
    id,
    device ?? '(nobody)',
    templates?.join(' ') ?? '(by evidence)',
    names?.join(' ') ?? '(any)',
    status === 'valid' && keyState === 'void' ? 'void' : status,
    externalAccountKey ?? '-',
  ];
  return formatTable(columns, accounts.map(row));
}

export function requestTable({ paint, now }: Session, requests: readonly RequestView[]): string {
  const columns = [
    { title: 'REQUEST' },
    { title: 'DEVICE', shrinkTo: 12 },
    { title: 'TEMPLATE', shrinkTo: 8 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'OBJECTIONS', shrinkTo: 16 },
    { title: 'LAST SEEN' },
  ];
  const row = ({ id, device, template, state, objections, lastSeen }: RequestView) => [
    id,
    device,
    template,
    state,
    objections.map(({ control }) => control).join(', '),
    relativeTime(Date.parse(lastSeen), now),
  ];
  return formatTable(columns, requests.map(row));
}
