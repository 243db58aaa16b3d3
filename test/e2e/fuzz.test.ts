import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fuzz } from '../fuzz/fuzz.ts';
import { ScepFuzz } from '../fuzz/scep-fuzz.ts';
import { sallyport } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

/** Short runs of `npm run fuzz`, which says how to repeat them: by the seed, and the number of the connection or message. */
const runs = [
  {
    protocol: 'EST',
    start: Fuzz.start.bind(Fuzz),
    settings: { seed: 2, requests: 10_000, milliseconds: 15_000, workers: 32 },
  },
  {
    protocol: 'SCEP',
    start: ScepFuzz.start.bind(ScepFuzz),
    settings: { seed: 2, requests: 4_000, milliseconds: 12_000, workers: 16 },
  },
] as const;

for (const { protocol, start, settings } of runs) {
  describe(`mutated requests of clients of ${protocol}`, () => {
    const cleanup = suiteCleanup();

    test('get an answer or a clean end, never a fault, each with its entry, and nothing that they are not entitled to', async (t) => {
      const lines: string[] = [];
      const fuzz = await start(cleanup, settings, (line) => lines.push(line));
      const { outcomes, entriesByOutcome, ...counts } = await fuzz.run();
      t.diagnostic(JSON.stringify({ outcomes, entriesByOutcome, ...counts }));
      assert.deepEqual(lines, []);
      const { unlogged, surplus, faults, hangs, unanswered, unentitled } = counts;
      assert.deepEqual([unlogged, surplus, faults, hangs, unanswered, unentitled], [0, 0, 0, 0, 0, 0]);
      // They got far: every outcome that a request can have is among them.
      const reached = ['answered', 'held', 'issued', 'malformed', 'redelivered', 'refused'];
      assert.deepEqual(Object.keys(entriesByOutcome).toSorted(), reached);
      const verified = await sallyport('log', 'verify', '--json', '--config', fuzz.authority.configuration);
      assert.equal(verified.code, 0, verified.stdout);
    });
  });
}
