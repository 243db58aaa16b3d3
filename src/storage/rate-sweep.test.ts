import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { first } from './operation.ts';
import { statement } from './statement.ts';
import { now, openStores } from './storage.fixture.ts';

const countRows = statement((database) =>
  database.selectFrom('rate_limit').select((eb) => eb.fn.countAll<number>().as('rows')),
);

suite('the rows of rate limits', () => {
  test('of sources that are idle are forgotten, those in force are kept', async (t) => {
    const { enrollment, query } = openStores(t);
    const rows = async () => (await query(first(countRows, {})))?.rows ?? 0;
    const limit = { burst: 5, count: 1, periodSeconds: 60 };
    const admit = (sourceKey: string, at: number) => enrollment.admit({ sourceKey, limit, now: at });
    for (let i = 0; i < 1000; i += 1) await admit(`idle ${i}`, now);
    const later = now + 61_000;
    for (let i = 0; i < 30; i += 1) await admit(`new ${i}`, later);
    for (let tries = 0; tries < 100 && (await rows()) !== 30; tries += 1) await setTimeout(20);
    assert.equal(await rows(), 30);
    const { tat } = await admit('new 3', later);
    assert.notEqual(tat, null);
  });
});
