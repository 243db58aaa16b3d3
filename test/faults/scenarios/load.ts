import { Arena } from '../arena.ts';
import { prepareLoad } from '../load.ts';
import type { Scenario } from '../scenario.ts';
import { wait } from '../waiting.ts';

const size = {
  est: { enrolling: 14, attesting: 2, held: 1, renewing: 5, revoking: 1 },
  activating: 2,
  acme: { enrolling: 5, held: 1, renewing: 1, revoking: 1, presuming: 1 },
};
/** The load takes about as long. */
const longestMilliseconds = 700;

/** kill -9 at any moment while 32 ask at once. */
export const killedUnderLoad: Scenario = {
  obstacle: () => null,
  async open(cleanup, random) {
    const arena = await Arena.onSqlite(cleanup, random);
    const { node, witness } = arena;
    return {
      async run(_at, random) {
        await arena.start();
        const load = await prepareLoad(arena, size);
        const milliseconds = random.below(longestMilliseconds);
        const done = load();
        await wait(milliseconds);
        await node.stop();
        witness.published(await node.checkpoint());
        await arena.endLeases();
        await arena.start();
        await done;
        return { what: `after ${milliseconds} ms`, reached: true, findings: await arena.broken() };
      },
    };
  },
};
