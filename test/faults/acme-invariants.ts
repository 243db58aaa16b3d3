import { repeated } from './repeated.ts';
import type { LoggedEntry, State } from './state.ts';
import type { Witness } from './witness.ts';

/** What was done over ACME is told once; and a certificate is of one order, all of whose names had been proven. */
export function acmeOf(state: State, witness: Witness): string[] {
  const { accounts, orders, authorizations, entries } = state;
  const answered = authorizations.filter(({ method }) => method !== null);
  const over = answered.filter(({ status }) => status !== 'pending');
  return [
    ...toldOnce('account', accounts, answersTo('new-account', 'account', entries)),
    ...toldOnce('order', orders, answersTo('new-order', 'order', entries)),
    ...toldOnce('answered authorization', answered, answersTo('challenge', 'authorization', entries)),
    ...toldOnce('ended authorization', over, endsOf(entries)),
    ...certificatesOf(state),
    ...[...witness.orders].flatMap(([id, sha256]) => {
      const { certificate } = orders.find((order) => order['id'] === id) ?? {};
      return certificate === sha256 ? [] : [`order ${id} gave ${sha256}, and has ${String(certificate)}`];
    }),
  ];
}

/** What a restart has still to do. */
export function unsettledOf({ authorizations }: State): string[] {
  return authorizations
    .filter((row) => row['due_at'] !== null)
    .map(({ id }) => `authorization ${String(id)} waits for a look`);
}

function toldOnce(what: string, rows: State['orders'], told: readonly string[]): string[] {
  const there = new Set(rows.map(({ id }) => String(id)));
  const known = new Set(told);
  return [
    ...repeated(told).map((id) => `the log tells of ${what} ${id} twice`),
    ...[...there]
      .filter((id) => !known.has(id))
      .map((id) => `${what} ${id} is there, and no entry tells of it`),
    ...told.filter((id) => !there.has(id)).map((id) => `an entry tells of ${what} ${id}, which is not there`),
  ];
}

/** The ids of what was made, or answered, by this operation. */
function answersTo(operation: string, what: string, entries: readonly LoggedEntry[]): string[] {
  return entries.flatMap(({ value: { outcome, observations, detail } }) => {
    const { source } = observations ?? {};
    const isAnswer = outcome === 'answered' && source?.protocol === 'acme' && source.operation === operation;
    return isAnswer ? [String(detail?.[what])] : [];
  });
}

function endsOf(entries: readonly LoggedEntry[]): string[] {
  return entries.flatMap(({ value: { event, detail } }) =>
    event === 'authorization.valid' || event === 'authorization.invalid'
      ? [String(detail?.['authorization'])]
      : [],
  );
}

function certificatesOf({ accounts, orders, authorizations, certificates, entries }: State): string[] {
  const rows = new Map(certificates.map((row) => [row['sha256'], row]));
  const owners = new Map(accounts.map((row) => [row['id'], row['device_id']]));
  const issued = Map.groupBy(
    entries.filter(({ value }) => value.outcome === 'issued'),
    ({ value }) => value.observations?.order?.id,
  );
  const provenAt = new Map<unknown, number>();
  for (const { index, value } of entries) {
    if (value.event === 'authorization.valid') provenAt.set(value.detail?.['authorization'], index);
  }
  const broken = orders.flatMap(
    ({ id, account, template, certificate, error, finalized_at: finalizedAt }) => {
      const [first, ...more] = issued.get(id as string) ?? [];
      const row = rows.get(certificate);
      const own = authorizations.filter((each) => each['order_id'] === id);
      const problems = {
        'was issued another certificate, or none': (first?.value.certificate?.sha256 ?? null) !== certificate,
        'was issued more than one certificate': more.length > 0,
        'was finalized, and has no certificate':
          finalizedAt !== null && error === null && certificate === null,
        'has the certificate of another device, or of another template':
          certificate !== null &&
          (row?.['device_id'] !== owners.get(account) || row?.['template'] !== template),
        'was issued a certificate before its names were proven':
          first !== undefined && own.some((each) => !((provenAt.get(each['id']) ?? Infinity) < first.index)),
      };
      return Object.entries(problems).flatMap(([words, is]) => (is ? [`order ${String(id)} ${words}`] : []));
    },
  );
  const templates = new Set(orders.map((row) => row['template']));
  const ordered = new Set(orders.map((row) => row['certificate']));
  const unordered = certificates.filter(
    (row) => templates.has(row['template']) && !ordered.has(row['sha256']),
  );
  return [...broken, ...unordered.map((row) => `certificate ${String(row['sha256'])} is of no order`)];
}
