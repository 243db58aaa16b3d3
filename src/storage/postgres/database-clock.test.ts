import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { steadyClock } from '#enrollment';
import { databaseClock } from './database-clock.ts';

const begin = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;

/** A node beside a database, each with clocks that the test moves. */
async function openNode() {
  const world = { database: begin, wall: begin + 1234, count: 17, reachable: true, jumps: [] as number[] };
  const database = await databaseClock({
    read: async () => (world.reachable ? world.database : null),
    monotonic: () => world.count,
    wall: () => world.wall,
  });
  const clock = steadyClock({
    wall: database.now,
    monotonic: database.count,
    floor: 0,
    jumped: (milliseconds) => void world.jumps.push(milliseconds),
  });
  const pass = (milliseconds: number, ...clocks: ('database' | 'wall' | 'count')[]) => {
    for (const each of clocks) world[each] += milliseconds;
  };
  return { world, database, clock, pass };
}

suite('the clock of a node beside a database', () => {
  test('is the database’s, whatever time this machine is set to', async () => {
    const { world, database, clock, pass } = await openNode();
    pass(1000, 'database', 'wall', 'count');
    assert.equal(clock.now(), begin + 1000);
    world.wall += hour;
    assert.throws(() => database.demandSure(), { code: 'store' });
    await new Promise(setImmediate);
    database.demandSure();
    assert.equal(clock.now(), begin + 1000);
  });

  test('after a sleep is not used before it was read anew, and then follows at once', async () => {
    const { world, database, clock, pass } = await openNode();
    pass(hour, 'database', 'wall');
    pass(1000, 'database', 'wall', 'count');
    world.reachable = false;
    assert.throws(() => database.demandSure(), { code: 'store', message: /slept/ });
    await new Promise(setImmediate);
    assert.throws(() => database.demandSure(), { code: 'store' });
    world.reachable = true;
    await new Promise(setImmediate);
    assert.throws(() => database.demandSure(), { code: 'store' });
    await new Promise(setImmediate);
    database.demandSure();
    assert.equal(clock.now(), begin + hour + 1000);
    pass(1000, 'database', 'wall', 'count');
    assert.equal(clock.now(), begin + hour + 2000);
    assert.deepEqual(world.jumps, []);
  });

  test('does not follow a database whose clock was set', async () => {
    const { world, database, clock, pass } = await openNode();
    pass(hour, 'database');
    await database.follow();
    database.demandSure();
    assert.equal(clock.now(), begin);
    assert.deepEqual(world.jumps, [hour]);
    pass(-hour, 'database');
    await database.follow();
    assert.equal(clock.now(), begin);
  });
});
