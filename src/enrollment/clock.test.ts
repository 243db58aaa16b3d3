import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { steadyClock } from './clock.ts';

const begin = Date.UTC(2026, 10, 22, 12);
const minute = 60_000;
const hour = 60 * minute;

/** A machine whose clocks the test moves. */
function machine(floor = 0) {
  const time = { wall: begin, count: 5_000 };
  const jumps: number[] = [];
  const clock = steadyClock({
    wall: () => time.wall,
    monotonic: () => time.count,
    floor,
    jumped: (milliseconds) => jumps.push(milliseconds),
  });
  return {
    clock,
    jumps,
    pass(milliseconds: number) {
      time.wall += milliseconds;
      time.count += milliseconds;
    },
    setWall(milliseconds: number) {
      time.wall += milliseconds;
    },
  };
}

suite('the clock', () => {
  test('goes with the wall clock', () => {
    const { clock, pass, jumps } = machine();
    assert.equal(clock.now(), begin);
    pass(hour);
    assert.equal(clock.now(), begin + hour);
    assert.deepEqual(jumps, []);
  });

  test('follows a wall clock that is slewed', () => {
    const { clock, pass, setWall, jumps } = machine();
    for (let i = 0; i < 100; i += 1) {
      pass(minute);
      setWall(500);
      clock.now();
    }
    assert.equal(clock.now(), begin + 100 * minute + 50_000);
    assert.deepEqual(jumps, []);
  });

  test('goes on by the count when the wall clock is set back, and says so once', () => {
    const { clock, pass, setWall, jumps } = machine();
    clock.now();
    setWall(-hour);
    assert.equal(clock.now(), begin);
    pass(minute);
    assert.equal(clock.now(), begin + minute);
    pass(2 * hour);
    assert.equal(clock.now(), begin + 2 * hour + minute);
    assert.deepEqual(jumps, [-hour]);
  });

  test('does not follow a jump forward that is taken back', () => {
    const { clock, pass, setWall, jumps } = machine();
    clock.now();
    setWall(365 * 24 * hour);
    assert.equal(clock.now(), begin);
    pass(minute);
    assert.equal(clock.now(), begin + minute);
    setWall(-365 * 24 * hour);
    pass(minute);
    assert.equal(clock.now(), begin + 2 * minute);
    assert.deepEqual(jumps, [365 * 24 * hour]);
  });

  test('believes a jump forward that stays for ten minutes: the machine slept', () => {
    const { clock, pass, setWall } = machine();
    clock.now();
    setWall(8 * hour);
    clock.now();
    pass(10 * minute - 1);
    assert.equal(clock.now(), begin + 10 * minute - 1);
    pass(1);
    assert.equal(clock.now(), begin + 8 * hour + 10 * minute);
    pass(minute);
    assert.equal(clock.now(), begin + 8 * hour + 11 * minute);
  });

  test('believes a jump forward at once as far as another node has followed it', () => {
    const { clock, pass, setWall } = machine();
    clock.now();
    setWall(2 * minute);
    clock.hear(begin + minute);
    assert.equal(clock.now(), begin + minute);
    clock.hear(begin + hour);
    assert.equal(clock.now(), begin + 2 * minute);
    pass(minute);
    assert.equal(clock.now(), begin + 3 * minute);
  });

  test('does not believe another node what its wall clock does not say', () => {
    const { clock, pass, setWall } = machine();
    clock.hear(begin + hour);
    assert.equal(clock.now(), begin);
    setWall(-hour);
    clock.hear(begin + hour);
    assert.equal(clock.now(), begin);
    pass(minute);
    setWall(3 * hour);
    clock.hear(begin - hour);
    assert.equal(clock.now(), begin + minute);
  });

  test('begins no earlier than what the log knows', () => {
    const { clock, pass, jumps } = machine(begin + minute);
    assert.deepEqual(jumps, [-minute]);
    assert.equal(clock.now(), begin + minute);
    pass(2 * minute);
    assert.equal(clock.now(), begin + 2 * minute);
  });

  test('never runs backwards, and is never far ahead of both', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ pass: fc.nat({ max: 2 * hour }) }),
        fc.record({ set: fc.integer({ min: -400 * 24 * hour, max: 400 * 24 * hour }) }),
        fc.record({ hear: fc.integer({ min: -400 * 24 * hour, max: 400 * 24 * hour }) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { clock, pass, setWall } = machine();
        let before = clock.now();
        let furthest = begin;
        let wall = begin;
        for (const step of list) {
          if ('pass' in step) {
            pass(step.pass);
            wall += step.pass;
            furthest += step.pass;
          } else if ('hear' in step) {
            clock.hear(begin + step.hear);
          } else {
            setWall(step.set);
            wall += step.set;
          }
          furthest = Math.max(furthest, wall);
          const now = clock.now();
          assert.ok(now >= before);
          assert.ok(now <= furthest);
          before = now;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
