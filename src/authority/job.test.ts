import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startJob } from './job.ts';

test('a trigger during a run gives one more run after it, however many trigger', async () => {
  let runs = 0;
  let release = () => {};
  const job = startJob({
    now: () => 0,
    name: 'job',
    intervalMilliseconds: 60_000,
    run: async () => {
      runs += 1;
      if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
    },
    report: ({ error }) => assert.fail(String(error)),
  });
  const first = job.trigger();
  const later = [job.trigger(), job.trigger(), job.trigger()];
  release();
  await Promise.all([first, ...later]);
  assert.equal(runs, 2);
  await job.stop();
  await job.trigger();
  assert.equal(runs, 2);
});

test('a fault that lasts is reported once, and again after it was gone', async () => {
  const faults: string[] = [];
  const outcomes = ['down', 'down', null, 'down'];
  const job = startJob({
    now: () => 0,
    name: 'job',
    intervalMilliseconds: 60_000,
    run: async () => {
      const outcome = outcomes.shift();
      if (outcome) throw new Error(outcome);
    },
    report: ({ id }) => faults.push(id),
  });
  for (let run = 0; run < 4; run += 1) await job.trigger();
  assert.deepEqual(faults, ['job', 'job']);
  await job.stop();
});
