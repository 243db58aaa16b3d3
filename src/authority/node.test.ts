import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { type SteadyClock, steadyClock } from '#enrollment';
import { createSqlite } from '#storage';
import { joinNodes } from './node.ts';

async function openWorld(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-node-'));
  const storage = await createSqlite({ file: join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  const world = {
    now: Date.UTC(2026, 10, 22),
    said: [] as string[],
    stands: false,
    meanwhile: async () => {},
  };
  const followed: SteadyClock = { now: () => world.now, hear() {} };
  const start = (
    name: string,
    holder: string,
    references = 'same',
    policies = 'same',
    clock: SteadyClock = followed,
  ) => {
    let slept = 0;
    return joinNodes(
      {
        name,
        holder,
        store: storage.admin,
        clock,
        report: ({ error }) => void world.said.push((error as Error).message),
        async sleep(milliseconds) {
          if (!world.stands) world.now += milliseconds;
          slept += milliseconds;
          assert.ok(slept < 60_000, 'a node has waited for a minute');
          await world.meanwhile();
        },
      },
      { references, policies },
    );
  };
  const save = (digest: string, body: object) =>
    storage.admin.saveReferences(digest, Buffer.from(JSON.stringify(body)));
  return { world, start, save };
}

const same = { references: 'same', policies: 'same' };

suite('a node', () => {
  test('whose name a living process has does not start', async (t) => {
    const { world, start } = await openWorld(t);
    const first = await start('node-1', 'a');
    world.meanwhile = async () => void (await first.announce(same));
    await assert.rejects(start('node-1', 'b'), {
      code: 'config',
      message: /another process serves as node node-1/,
    });
    await start('node-2', 'c');
  });

  test('that crashed starts again a few seconds later, and says how long it waits', async (t) => {
    const { world, start } = await openWorld(t);
    const crashed = await start('node-1', 'a');
    const began = world.now;
    await start('node-1', 'b');
    assert.ok(world.now - began <= 7_000);
    assert.match(world.said.join('\n'), /^node node-1 was not ended.*: waiting 6 s for its name$/);
    // It only stood still, and comes back.
    await assert.rejects(crashed.announce(same), { code: 'config' });
    assert.equal((await crashed.failed).code, 'config');
  });

  test('follows a jump of the clock that one which was started since has followed', async (t) => {
    const { world, start } = await openWorld(t);
    let count = 0;
    const clockOfItsOwn = () =>
      steadyClock({ wall: () => world.now, monotonic: () => count, floor: 0, jumped() {} });
    const clock = clockOfItsOwn();
    const first = await start('node-1', 'a', 'same', 'same', clock);
    const began = world.now;
    world.now += 120_000;
    await first.announce(same);
    assert.equal(clock.now(), began);
    await start('node-2', 'b', 'same', 'same', clockOfItsOwn());
    count += 2_000;
    world.now += 2_000;
    await first.announce(same);
    assert.equal(clock.now(), began + 122_000);
  });

  /** The log is ahead of a clock that was set right since: time stands still until then (enrollment's steadyClock). */
  test('that crashed starts again where time stands still, and does not where its name is a living one', async (t) => {
    const { world, start } = await openWorld(t);
    await start('node-1', 'a');
    world.stands = true;
    const second = await start('node-1', 'b');
    world.meanwhile = async () => void (await second.announce(same));
    await assert.rejects(start('node-1', 'c'), { code: 'config' });
  });

  test('that was ended starts again at once', async (t) => {
    const { world, start } = await openWorld(t);
    await (await start('node-1', 'a')).leave();
    await start('node-1', 'b');
    assert.deepEqual(world.said, []);
  });

  test('says which others judge otherwise, and where', async (t) => {
    const { start, save } = await openWorld(t);
    await save('loose', { deviceClasses: { laptop: { attestation: 'none' }, phone: {} }, limits: {} });
    await save('strict', { deviceClasses: { laptop: { attestation: 'required' }, phone: {} }, limits: {} });
    const one = await start('node-1', 'a', 'loose');
    const two = await start('node-2', 'b', 'loose');
    assert.deepEqual(await one.announce({ references: 'loose', policies: 'same' }), []);
    const words = ['node node-1 judges otherwise: deviceClasses.laptop, policies'];
    assert.deepEqual(await two.announce({ references: 'strict', policies: 'other' }), words);
    assert.deepEqual(two.others(), [{ name: 'node-1', differs: ['deviceClasses.laptop', 'policies'] }]);
    assert.equal((await one.announce({ references: 'loose', policies: 'same' })).length, 1);
    assert.deepEqual(await one.announce({ references: 'strict', policies: 'other' }), []);
  });
});
