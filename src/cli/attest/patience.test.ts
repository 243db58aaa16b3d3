import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Outcome, patiently } from './patience.ts';

const waits: Outcome = { retryAfterSeconds: 1 };
const issued: Outcome = { certificates: [Uint8Array.of(1)] };

function asking(...outcomes: readonly Outcome[]) {
  const left = [...outcomes];
  return async () => left.shift()!;
}

test('asks again when it was told to, until there are certificates', async () => {
  const noted: number[] = [];
  const certificates = await patiently(60, Date.now, asking(waits, issued), (seconds) => noted.push(seconds));
  assert.deepEqual(certificates, issued.certificates);
  assert.deepEqual(noted, [1]);
});

test('asks at the end of the time once more, and no longer', async () => {
  const late = { retryAfterSeconds: 3600 };
  const waiting = patiently(0.1, Date.now, asking(late, late, issued), () => {});
  await assert.rejects(waiting, { code: 'store', message: /waits for approval/ });
});
