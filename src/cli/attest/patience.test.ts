import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { type Outcome, patiently } from './patience.ts';

const issued: Outcome = { certificates: [Uint8Array.of(1)] };
const waits = (retryAfterSeconds: number): Outcome => ({ retryAfterSeconds });

/** Asks as often as there are outcomes, by a clock that only waiting moves. Each wait ends so much too early. */
async function asked(waitSeconds: number, outcomes: readonly Outcome[], earlyMilliseconds = 0) {
  const left = [...outcomes];
  const noted: number[] = [];
  let now = 1000;
  const ended = await patiently(
    waitSeconds,
    () => now,
    async () => left.shift()!,
    (seconds) => noted.push(seconds),
    async (milliseconds) => {
      now += milliseconds - earlyMilliseconds;
    },
  ).catch((error: unknown) => error);
  return { ended, noted, left: left.length, seconds: (now - 1000) / 1000 };
}

suite('a request that waits for approval', () => {
  test('is sent again when the server says so, until there are certificates', async () => {
    const { ended, noted, seconds } = await asked(60, [waits(20), waits(30), issued]);
    assert.deepEqual(ended, issued.certificates);
    assert.deepEqual([noted, seconds], [[20, 30], 50]);
  });

  test('is not sent more often than every second', async () => {
    const { noted } = await asked(60, [waits(0), issued]);
    assert.deepEqual(noted, [1]);
  });

  for (const early of [0, 1]) {
    test(`is sent at the end of the time once more and no longer, where timers end ${early} ms early`, async () => {
      const { ended, noted, left } = await asked(90, [waits(60), waits(60), waits(60), issued], early);
      assert.deepEqual(noted, [60, 30 + early / 1000]);
      assert.equal(left, 1);
      assert.ok(isSallyportError(ended, 'store') && /waits for approval/.test(ended.message));
    });
  }

  test('is sent once where there is no time to wait', async () => {
    const { ended, noted, left } = await asked(0, [waits(60), issued]);
    assert.ok(isSallyportError(ended, 'store'));
    assert.deepEqual([noted, left], [[], 1]);
  });
});
