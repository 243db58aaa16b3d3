import type { StoreObservation, VerifierSpending } from '#enrollment';
import { SallyportError } from '#errors';
import { type RateLimit, spend } from '#limits';
import { all, first, type Operation, run, together } from '../operation.ts';
import { statement } from '../statement.ts';

const selectTat = statement((database, p: { key: string }) =>
  database.selectFrom('rate_limit').select('tat').where('key', '=', p.key),
);

const upsertTat = statement((database, p: { key: string; tat: number }) =>
  database
    .insertInto('rate_limit')
    .values({ key: p.key, tat: p.tat })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ tat: p.tat })),
);

const deleteIdle = statement((database, p: { now: number }) =>
  database.deleteFrom('rate_limit').where('tat', '<=', p.now),
);

const deleteRate = statement((database, p: { key: string }) =>
  database.deleteFrom('rate_limit').where('key', '=', p.key),
);

const deleteVerifierRates = statement((database, p: { from: string; to: string }) =>
  database.deleteFrom('rate_limit').where('key', '>=', p.from).where('key', '<', p.to),
);

const countLeft = statement((database) =>
  database.selectFrom('rate_limit').select((eb) => eb.fn.countAll<number>().as('left')),
);

const sourcePrefix = 'source:';

const selectSources = statement((database) =>
  database
    .selectFrom('rate_limit')
    .select(['key', 'tat'])
    .where('key', '>=', sourcePrefix)
    .where('key', '<', 'source;'),
);

const verifierPrefix = (device: string) => `verifier:${device} `;

export const rateKeys = {
  source: (key: string) => `${sourcePrefix}${key}`,
  device: (id: string) => `device:${id}`,
  template: (name: string) => `template:${name}`,
  presented: (sha256: string) => `presented:${sha256}`,
  verifier: (device: string, credential: string) => `${verifierPrefix(device)}${credential}`,
  challenge: (template: string) => `challenge:${template}`,
};

export interface Spent {
  readonly conforms: boolean;
  /** As it was before. */
  readonly tat: number | null;
}

/** Spends one under the key where that conforms, else nothing; what a clock set back makes of the time is kept in any case. */
export function* spendRate(key: string, limit: RateLimit, now: number): Operation<Spent> {
  const tat = yield* readTat(key);
  const spending = spend(limit, tat, now);
  if (spending.tat !== tat) yield* run(upsertTat, { key, tat: spending.tat });
  return { conforms: spending.conforms, tat };
}

interface Arrival {
  readonly key: string;
  readonly tat: number;
}

/** What to keep of spending one under the key. Throws 'conflict' where that does not conform. */
export function* conformingArrival(key: string, limit: RateLimit, now: number): Operation<Arrival> {
  const { conforms, tat } = spend(limit, yield* readTat(key), now);
  if (!conforms) throw new SallyportError('conflict', `the limit of ${key} is spent`);
  return { key, tat };
}

export function* keepArrival(arrival: Arrival): Operation<void> {
  yield* run(upsertTat, arrival);
}

export function* admit(query: {
  sourceKey: string;
  limit: RateLimit;
  now: number;
}): Operation<{ tat: number | null }> {
  const { tat } = yield* spendRate(rateKeys.source(query.sourceKey), query.limit, query.now);
  return { tat };
}

export function* spendVerifierRate({ deviceId, credential, limit, now }: VerifierSpending): Operation<Spent> {
  return yield* spendRate(rateKeys.verifier(deviceId, credential), limit, now);
}

/** Of an id that begins with this one and a space they go as well, which is no loss. */
export function* forgetRatesOf(deviceId: string): Operation<void> {
  yield* run(deleteRate, { key: rateKeys.device(deviceId) });
  yield* run(deleteVerifierRates, { from: verifierPrefix(deviceId), to: `verifier:${deviceId}!` });
}

/** Every source's arrival time, for an adapter that keeps them in memory. */
export function* sourceRates(): Operation<readonly { readonly key: string; readonly tat: number }[]> {
  const rows = yield* all(selectSources, {});
  return rows.map(({ key, tat }) => ({ key: key.slice(sourcePrefix.length), tat }));
}

export function* saveSourceRates({
  rates,
}: {
  rates: readonly { readonly key: string; readonly tat: number }[];
}): Operation<void> {
  for (const { key, tat } of rates) yield* run(upsertTat, { key: rateKeys.source(key), tat });
}

export function* observeRates(query: {
  deviceId: string | null;
  template: string;
  staticChallenge: boolean;
}): Operation<Omit<StoreObservation['rates'], 'presented'>> {
  const { deviceId, template, staticChallenge } = query;
  const [device, ofTemplate, challenge] = yield* together(
    deviceId === null ? null : readTat(rateKeys.device(deviceId)),
    readTat(rateKeys.template(template)),
    staticChallenge ? readTat(rateKeys.challenge(template)) : null,
  );
  return { device, template: ofTemplate, challenge };
}

/** Of a certificate whose lineage is contested. */
export function* observePresentedRate(sha256: string): Operation<{ readonly tat: number | null }> {
  return { tat: yield* readTat(rateKeys.presented(sha256)) };
}

function* readTat(key: string): Operation<number | null> {
  return (yield* first(selectTat, { key }))?.tat ?? null;
}

/** A limit whose arrival time has passed is like one never used. Returns how many are left. */
export function* forgetIdleRates({ now }: { now: number }): Operation<number> {
  yield* run(deleteIdle, { now: Math.floor(now) });
  return (yield* first(countLeft, {}))?.left ?? 0;
}
