import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ScepFuzz } from '../fuzz/scep-fuzz.ts';
import { sallyport } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

/** A short run of `npm run fuzz -- --protocol scep`, which says how to repeat it: its seed, and the message. */
const settings = { seed: 2, requests: 4_000, milliseconds: 12_000, workers: 16 };

describe('mutated messages of SCEP', () => {
  const cleanup = suiteCleanup();

  test('get an answer, never a fault, each with its entry, and nothing that they are not entitled to', async (t) => {
    const lines: string[] = [];
    const fuzz = await ScepFuzz.start(cleanup, settings, (line) => lines.push(line));
    const { outcomes, entriesByOutcome, ...counts } = await fuzz.run();
    t.diagnostic(JSON.stringify({ outcomes, entriesByOutcome, ...counts }));
    assert.deepEqual(lines, []);
    const { unlogged, surplus, faults, hangs, unanswered, unentitled } = counts;
    assert.deepEqual([unlogged, surplus, faults, hangs, unanswered, unentitled], [0, 0, 0, 0, 0, 0]);
    // They got far: every outcome that a message can have is among them.
    const reached = ['answered', 'held', 'issued', 'malformed', 'redelivered', 'refused'];
    assert.deepEqual(Object.keys(entriesByOutcome).toSorted(), reached);
    const verified = await sallyport('log', 'verify', '--json', '--config', fuzz.authority.configuration);
    assert.equal(verified.code, 0, verified.stdout);
  });
});
