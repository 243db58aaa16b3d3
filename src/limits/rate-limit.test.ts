import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RateLimit, spend } from '#limits';

const epoch = 1_800_000_000_000;
const perMinute: RateLimit = { burst: 5, count: 60, periodSeconds: 60 };

const limits = fc.record({
  burst: fc.integer({ min: 1, max: 50 }),
  count: fc.integer({ min: 1, max: 5000 }),
  periodSeconds: fc.constantFrom(1, 7, 60, 3600, 86_400),
});
/** Milliseconds between requests: many at once, and pauses. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 50 }), fc.nat({ max: 100_000 })), {
  maxLength: 200,
});

/** The times at which requests conformed, of a clock that moves by `gaps`. */
function conforming(limit: RateLimit, moves: readonly number[], start: number = epoch): number[] {
  const times: number[] = [];
  let tat: number | null = null;
  let now = start;
  for (const move of moves) {
    now += move;
    const spent = spend(limit, tat, now);
    tat = spent.tat;
    if (spent.conforms) times.push(now);
  }
  return times;
}

test('a burst conforms at once, the next waits for one interval', () => {
  let tat: number | null = null;
  for (let request = 0; request < perMinute.burst; request += 1) {
    const spent = spend(perMinute, tat, epoch);
    assert.equal(spent.conforms, true);
    assert.equal(spent.retryAfterSeconds, 0);
    tat = spent.tat;
  }
  assert.deepEqual(spend(perMinute, tat, epoch), { conforms: false, tat, retryAfterSeconds: 1 });
  assert.equal(spend(perMinute, tat, epoch + 999).conforms, false);
  assert.equal(spend(perMinute, tat, epoch + 1000).conforms, true);
});

test('the burst is exact for intervals that no decimal or binary fraction holds', () => {
  fc.assert(
    fc.property(limits, fc.double({ min: 0, max: 10 ** 12, noNaN: true }), (limit, offset) => {
      const times = conforming(limit, Array(limit.burst + 1).fill(0), epoch + offset);
      assert.equal(times.length, limit.burst);
    }),
  );
});

test('no window of time sees more than the burst and what the rate gives in it', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, moves) => {
      const times = conforming(limit, moves);
      const perMillisecond = limit.count / (limit.periodSeconds * 1000);
      for (const [first, from] of times.entries()) {
        for (let last = first; last < times.length; last += 1) {
          const allowed = limit.burst + ((times[last] ?? from) - from) * perMillisecond;
          assert.ok(last - first + 1 <= allowed + 1e-6, `${last - first + 1} > ${allowed}`);
        }
      }
    }),
  );
});

test('who waits as told conforms, and no second sooner', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, moves) => {
      let tat: number | null = null;
      let now = epoch;
      for (const move of moves) {
        now += move;
        const spent = spend(limit, tat, now);
        tat = spent.tat;
        if (spent.conforms) continue;
        assert.ok(spent.retryAfterSeconds >= 1);
        assert.equal(spend(limit, tat, now + spent.retryAfterSeconds * 1000).conforms, true);
        assert.equal(spend(limit, tat, now + (spent.retryAfterSeconds - 1) * 1000).conforms, false);
      }
    }),
  );
});

test('what is denied spends nothing', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, moves) => {
      let tat: number | null = null;
      let now = epoch;
      for (const move of moves) {
        now += move;
        const spent = spend(limit, tat, now);
        if (!spent.conforms) assert.equal(spent.tat, tat);
        tat = spent.tat;
      }
    }),
  );
});

test('a pause gives back the burst and no more', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      const all = Array(limit.burst + 1).fill(0);
      const times = conforming(limit, [
        ...all,
        100 * limit.burst * limit.periodSeconds * 1000,
        ...all.slice(1),
        0,
      ]);
      assert.equal(times.length, 2 * limit.burst);
    }),
  );
});

test('a clock set back grants no further burst, and locks nobody out for longer than the burst', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 1, max: 10 ** 12 }), (limit, back) => {
      let tat: number | null = null;
      for (let request = 0; request < limit.burst; request += 1) tat = spend(limit, tat, epoch).tat;
      const now = epoch - back;
      const denied = spend(limit, tat, now);
      assert.equal(denied.conforms, false);
      const interval = (limit.periodSeconds * 1000) / limit.count;
      assert.ok(denied.tat <= now + (interval + 1 / 1024) * limit.burst);
      assert.ok(denied.retryAfterSeconds <= Math.ceil((interval + 1 / 1024) / 1000));
      assert.equal(spend(limit, denied.tat, now + denied.retryAfterSeconds * 1000).conforms, true);
    }),
  );
});

test('a clock that jumps forward grants one burst at most', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 0, max: 10 ** 12 }), (limit, jump) => {
      const all = Array(limit.burst * 2).fill(0);
      const times = conforming(limit, [...all, jump, ...all]);
      assert.ok(times.length <= 2 * limit.burst);
    }),
  );
});

test('a clock that goes back and forth grants no more than its way forward', () => {
  const moves = Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? 3_600_000 : -3_600_000));
  assert.equal(conforming(perMinute, moves).length, 200);
  const still = conforming(
    perMinute,
    Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? 1 : -1)),
  );
  assert.equal(still.length, perMinute.burst);
});

test('a request may cost more than one', () => {
  const first = spend(perMinute, null, epoch, 3);
  assert.equal(first.conforms, true);
  const second = spend(perMinute, first.tat, epoch, 3);
  assert.deepEqual(second, { conforms: false, tat: first.tat, retryAfterSeconds: 1 });
  assert.equal(spend(perMinute, first.tat, epoch, 2).conforms, true);
});

test('a cost that can never conform is a fault of ours, not a denial', () => {
  for (const cost of [6, 0, -1, 0.5, Number.NaN]) {
    assert.throws(() => spend(perMinute, null, epoch, cost), { code: 'internal' });
  }
});

test('a limit that would never object is refused', () => {
  for (const wrong of [
    { burst: 0 },
    { burst: 1.5 },
    { burst: Number.NaN },
    { count: 0 },
    { count: -1 },
    { count: Infinity },
    { periodSeconds: 0 },
    { periodSeconds: Number.NaN },
    { periodSeconds: Infinity },
  ]) {
    assert.throws(
      () => spend({ ...perMinute, ...wrong }, null, epoch),
      { code: 'config' },
      JSON.stringify(wrong),
    );
  }
});

test('a time that is none is a fault of ours, not conforming', () => {
  for (const time of [Number.NaN, Infinity, -Infinity]) {
    assert.throws(() => spend(perMinute, null, time), { code: 'internal' });
    assert.throws(() => spend(perMinute, time, epoch), { code: 'internal' });
  }
});
