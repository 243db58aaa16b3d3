import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SallyportError } from '#errors';
import { formatDuration, parseDuration } from './duration.ts';

test('a duration is a whole number and one unit', () => {
  const seconds = ['15s', '30m', '1h', '90d', '0s', '100000000s'].map(parseDuration);
  assert.deepEqual(seconds, [15, 1800, 3600, 7_776_000, 0, 100_000_000]);
});

test('anything else is refused', () => {
  for (const text of [
    '',
    '1',
    's',
    '1 h',
    '1h30m',
    '-1h',
    '+1h',
    '01h',
    '1.5h',
    '1w',
    '1H',
    '1h ',
    '1h\n',
    '9999999999s',
    '１h',
  ]) {
    assert.throws(
      () => parseDuration(text),
      new SallyportError('config', 'a duration is a whole number and one unit: 15s, 30m, 1h or 90d'),
      text,
    );
  }
});

test('parse reads what format writes', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.integer({ min: 0, max: 9999 }).map((days) => days * 86_400),
      ),
      (seconds) => {
        assert.equal(parseDuration(formatDuration(seconds)), seconds);
      },
    ),
  );
});

test('arbitrary text gives seconds or a SallyportError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{0,12}[smhdw]?$/)), (text) => {
      try {
        assert.ok(Number.isSafeInteger(parseDuration(text)));
      } catch (error) {
        assert.ok(error instanceof SallyportError);
      }
    }),
  );
});
