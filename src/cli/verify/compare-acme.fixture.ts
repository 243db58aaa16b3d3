import { generateKeyPairSync } from 'node:crypto';
import { type Entry, sha256Hex } from '#enrollment';
import { parseJwk, thumbprint } from '#jose';
import { AcmeComparison } from './compare-acme.ts';

export type Store = ConstructorParameters<typeof AcmeComparison>[0];
export type KeyRecord = NonNullable<Awaited<ReturnType<Store['externalAccountKeys']>>[number]>;
export type AccountRecord = NonNullable<Awaited<ReturnType<Store['accounts']>>[number]>;
export type AuthorizationRecord = NonNullable<Awaited<ReturnType<Store['authorizations']>>[number]>;

export const [firstKey, secondKey] = [accountKey(), accountKey()];

export const key: KeyRecord = {
  id: 'K-1',
  deviceId: 'd1',
  deviceState: 'active',
  templates: ['web'],
  names: ['.example.org'],
  maximumCertificates: 2,
  approvedBy: 'ada',
  state: 'spent',
  createdAt: 50,
  expiresAt: 90,
  by: 'ada',
};
export const account: AccountRecord = {
  id: 'a1',
  externalAccountKey: 'K-1',
  device: 'd1',
  status: 'valid',
  ...firstKey,
};
export const authorization: AuthorizationRecord = {
  id: 'z1',
  account: 'a1',
  template: 'web',
  type: 'dns',
  value: 'www.example.org',
  status: 'valid',
  method: 'http-01',
  request: 'R-1',
  wildcard: false,
  validatedAt: 70,
  expiresAt: 170,
};

export const created = act('eab.create', {
  externalAccountKey: 'K-1',
  device: 'd1',
  templates: ['web'],
  names: ['.example.org'],
  maximumCertificates: 2,
  approve: true,
  expiresAt: 90,
});
export const made = answered('new-account', {
  account: 'a1',
  externalAccountKey: 'K-1',
  device: 'd1',
  thumbprint: firstKey.thumbprint,
});
export const changed = answered('key-change', {
  account: 'a1',
  oldThumbprint: firstKey.thumbprint,
  thumbprint: secondKey.thumbprint,
});
export const proven = {
  type: 'authority',
  event: 'authorization.valid',
  time: 70,
  detail: {
    authorization: 'z1',
    account: 'a1',
    identifier: { type: 'dns', value: 'www.example.org' },
    template: 'web',
    wildcard: false,
    method: 'http-01',
    request: 'R-1',
    expiresAt: 170,
  },
} as unknown as Entry;
export const restored = { type: 'authority', event: 'restored', time: 60, detail: {} } as unknown as Entry;

export function act(name: string, detail: object): Entry {
  return { type: 'act', act: name, time: 50, operator: 'ada', detail } as unknown as Entry;
}

export function answered(operation: string, detail: object): Entry {
  const observations = { source: { protocol: 'acme', operation } };
  return { type: 'request', outcome: 'answered', time: 60, observations, detail } as unknown as Entry;
}

export function issued(by: Partial<KeyRecord> = {}): Entry {
  const order = { account: { id: 'a1', status: 'valid' }, key: { ...key, ...by } };
  const observations = { source: { protocol: 'acme', operation: 'finalize' }, order };
  return { type: 'request', outcome: 'issued', time: 80, observations } as unknown as Entry;
}

function accountKey() {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = parseJwk(publicKey.export({ format: 'jwk' }));
  return { jwk: jwk.canonical, thumbprint: thumbprint(jwk), spki: sha256Hex(jwk.spki) };
}

export interface Rows {
  readonly keys?: readonly KeyRecord[];
  readonly accounts?: readonly AccountRecord[];
  readonly authorizations?: readonly AuthorizationRecord[];
  readonly live?: string;
}

export interface Told {
  readonly at?: readonly [log: number, index: number];
  readonly entry: Entry;
  readonly isAbsent?: boolean;
}

export const whole: Rows = { keys: [key], accounts: [account], authorizations: [authorization] };

export function storeOf({ keys = [], accounts = [], authorizations = [], live }: Rows): Store {
  const found = <Row extends { readonly id: string }>(rows: readonly Row[], ids: readonly string[]) =>
    ids.map((id) => rows.find((row) => row.id === id) ?? null);
  return {
    externalAccountKeys: async (ids) => found(keys, ids),
    liveExternalAccountKeyBy: async (name) => (name === 'machine:ci' ? (live ?? null) : null),
    accounts: async (ids) => found(accounts, ids),
    authorizations: async (ids) => found(authorizations, ids),
    acmeCounts: async () => ({
      externalAccountKeys: keys.length,
      accounts: accounts.length,
      validAuthorizations: authorizations.filter(({ status }) => status === 'valid').length,
    }),
  };
}

export async function findings(
  told: readonly (Entry | Told)[],
  rows: Rows = whole,
): Promise<readonly string[]> {
  const all = told.map((each, index): Told & Pick<Required<Told>, 'at'> => ({
    at: [0, index],
    ...('entry' in each ? each : { entry: each }),
  }));
  const found: string[] = [];
  const comparison = new AcmeComparison(storeOf(rows), all.at(-1)!.at[0], (position, message) =>
    found.push(position === null ? message : `${position.log}/${position.logIndex}: ${message}`),
  );
  for (const {
    at: [log, logIndex],
    entry,
    isAbsent = false,
  } of all) {
    await comparison.entry({ log, logIndex }, entry, isAbsent);
  }
  await comparison.end();
  return found;
}
