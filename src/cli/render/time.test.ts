import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeTime, relativeTime } from './time.ts';

const now = Date.UTC(2026, 10, 22, 12);
const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

for (const [distance, words] of [
  [0, 'now'],
  [400, 'now'],
  [600, 'in 1 s'],
  [45 * seconds, 'in 45 s'],
  [-5 * minutes, '5 min ago'],
  [hours - 40, 'in 1 h'],
  [96 * minutes, 'in 96 min'],
  [3 * hours, 'in 3 h'],
  [36 * hours, 'in 36 h'],
  [days, 'in 1 d'],
  [365 * days - 300, 'in 365 d'],
  [-2 * days, '2 d ago'],
] as const) {
  test(`${distance} ms away is "${words}"`, () => {
    assert.equal(relativeTime(now + distance, now), words);
  });
}

test('a time is ISO 8601 to copy, with the distance to read', () => {
  assert.equal(describeTime('2026-11-22T15:00:00.123Z', now), '2026-11-22T15:00:00Z (in 3 h)');
});
