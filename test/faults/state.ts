import type { Row, TestDatabase } from './database.ts';

const queries = {
  intents: `select id, serial_number from intent`,
  abandoned: `select id, serial_number from abandoned_intent`,
  certificates: `select log_idx, sha256, serial_number, device_id, template, spki, predecessor, revoked_at from certificate`,
  secrets: `select id, state, device_id, certificate from secret`,
  evidence: `select sha256, fresh, certificate from evidence`,
  approvals: `select id, state, device_id, template, spki, intent_id from approval`,
  requests: `select id, state, device_id, template, spki from request`,
  devices: `select id, state from device`,
  accounts: `select id, device_id from acme_account`,
  orders: `select id, account, template, finalized_at, error, certificate from acme_order`,
  authorizations: `select order_id, id, status, method, request, due_at from acme_order_authorization
    join acme_authorization on id = authorization_id`,
  crls: `select issuer, der from crl`,
  notes: `select size, note from log_note`,
  head: `select size from log_head`,
  entries: `select idx, bytes from log_entry order by idx`,
} as const;

/** Tables and log of an authority, read in one moment. */
export type State = Readonly<Record<Exclude<keyof typeof queries, 'entries'>, readonly Row[]>> & {
  readonly entries: readonly LoggedEntry[];
};

export interface LoggedEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly value: {
    readonly id: string;
    readonly type: string;
    readonly event?: string;
    readonly outcome?: string;
    readonly detail?: Readonly<Record<string, unknown>>;
    readonly observations?: {
      readonly source: { readonly protocol: string; readonly operation: string };
      readonly secret: { readonly id: string | null } | null;
      readonly order?: { readonly id: string } | null;
      readonly evidence?: { readonly examination?: { readonly sha256: string } } | null;
    };
    readonly certificate?: { readonly sha256: string; readonly predecessor: string | null } | null;
  };
}

export async function readState(database: TestDatabase): Promise<State> {
  const names = Object.keys(queries) as (keyof typeof queries)[];
  const results = await database.read(names.map((name) => queries[name]));
  const rows = Object.fromEntries(names.map((name, at) => [name, results[at]!])) as Record<
    keyof typeof queries,
    Row[]
  >;
  return {
    ...rows,
    entries: rows.entries.map(({ idx, bytes }) => ({
      index: idx as number,
      bytes: bytes as Uint8Array,
      value: JSON.parse(Buffer.from(bytes as Uint8Array).toString('utf8')) as LoggedEntry['value'],
    })),
  };
}
