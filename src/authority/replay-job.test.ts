import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSqlite } from '#storage';
import { SallyportError } from '#errors';
import { openReplay, type Replay, replayIfDue } from './replay-job.ts';

const day = 86_400_000;

async function openWorld(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-replay-'));
  const storage = await createSqlite({ file: join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  const world = { now: Date.UTC(2026, 10, 22), runs: 0, events: [] as Record<string, unknown>[] };
  const ports = (replay: () => Promise<Replay>) => ({
    store: storage.admin,
    clock: { now: () => world.now },
    replay: () => {
      world.runs += 1;
      return replay();
    },
    record: async (event: string, detail: Record<string, unknown>) =>
      void world.events.push({ event, ...detail }),
  });
  return { world, ports, storage };
}

const clean = async (): Promise<Replay> => ({ size: 7, findings: [] });

test('the log is asked again once a day, whoever asks how often', async (t) => {
  const { world, ports } = await openWorld(t);
  await Promise.all([replayIfDue(day, ports(clean)), replayIfDue(day, ports(clean))]);
  world.now += day - 1;
  await replayIfDue(day, ports(clean));
  assert.equal(world.runs, 1);
  assert.deepEqual(world.events, [{ event: 'log.replayed', size: 7, findings: 0, first: [] }]);
  world.now += 1;
  await replayIfDue(day, ports(clean));
  assert.equal(world.runs, 2);
});

test('what does not verify is an event with its first findings, and a fault', async (t) => {
  const { world, ports } = await openWorld(t);
  const findings = Array.from({ length: 12 }, (_, index) => ({ index, message: 'x'.repeat(600) }));
  await assert.rejects(
    replayIfDue(
      day,
      ports(async () => ({ size: 20, findings })),
    ),
    { code: 'log', message: /THE LOG DOES NOT VERIFY: 12 findings in 20 entries/ },
  );
  const [event] = world.events;
  assert.equal(event?.['findings'], 12);
  assert.deepEqual(event?.['first'], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await replayIfDue(day, ports(clean));
  assert.equal(world.runs, 1, 'and the next one is a day later all the same');
});

test('a run that came to no end is made up for by another a quarter of an hour later', async (t) => {
  const { world, ports } = await openWorld(t);
  const died = ports(() => Promise.reject(new Error('killed')));
  await assert.rejects(replayIfDue(day, died), /killed/);
  await replayIfDue(day, ports(clean));
  assert.equal(world.runs, 1);
  world.now += 15 * 60_000;
  await replayIfDue(day, ports(clean));
  assert.equal(world.runs, 2);
  assert.equal(world.events.length, 1);
});

test('what was found is said until a later run finds nothing', async (t) => {
  const { world, ports } = await openWorld(t);
  let answer: () => Promise<Replay> = async () => ({ size: 3, findings: [{ index: 1, message: 'changed' }] });
  const replay = openReplay(ports(() => answer()));
  const alarm = { code: 'log', message: /THE LOG DOES NOT VERIFY/ };
  await assert.rejects(replay(day), alarm);
  world.now += 600_000;
  await assert.rejects(replay(day), alarm);
  assert.equal(world.runs, 1);
  answer = clean;
  world.now += day;
  await replay(day);
  await replay(day);
  assert.equal(world.runs, 2);
});

test('a log that cannot even be read is a finding', async (t) => {
  const { world, ports } = await openWorld(t);
  const unreadable = () => Promise.reject(new SallyportError('log', 'the store has 3 of 4 hashes'));
  await assert.rejects(replayIfDue(day, ports(unreadable)), { code: 'log' });
  assert.deepEqual(world.events, [
    {
      event: 'log.replayed',
      size: 0,
      findings: 1,
      first: [null],
    },
  ]);
});

test('a lease that somebody wrote into the database for ever keeps a process from asking for two intervals', async (t) => {
  const { world, ports, storage } = await openWorld(t);
  const replay = openReplay(ports(clean));
  await storage.admin.takeLease({
    name: 'replay',
    holder: 'x',
    now: world.now,
    until: world.now + 999 * day,
  });
  world.now += 2 * day;
  await replay(day);
  assert.equal(world.runs, 0);
  world.now += 1;
  await replay(day);
  await replay(day);
  assert.equal(world.runs, 1);
});
