import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { statusOfRefusal } from './problems.ts';

const statusOf = (...controls: readonly string[]) =>
  statusOfRefusal({
    outcome: 'refused',
    id: 'R-1',
    objections: controls.map((control) => ({ control, title: '', detail: '', liftable: false })),
    retryAfterSeconds: 60,
    isPassing: false,
  });

suite('the status of a refusal', () => {
  for (const control of ['rate-source', 'rate-device', 'rate-template']) {
    test(`is 429 where nothing but ${control} objects`, () => assert.equal(statusOf(control), 429));
  }

  test('is 403 where anything else objects, beside a limit too: nobody learns that the device is known', () => {
    assert.equal(statusOf('device-state'), 403);
    assert.equal(statusOf('rate-device', 'device-state'), 403);
    assert.equal(statusOf('device-state', 'rate-device'), 403);
  });
});
