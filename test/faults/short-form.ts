import assert from 'node:assert/strict';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';

/** What `npm test` makes of `npm run faults`: some runs, always the same. */
export async function assertNothingFound(
  name: string,
  scenario: Scenario,
  runs: readonly number[],
): Promise<void> {
  const lines: string[] = [];
  const { findings } = await runScenario(name, scenario, { runs, seed: 'short form' }, (line) =>
    lines.push(line),
  );
  assert.equal(findings, 0, lines.join('\n'));
}

export function skipped(scenario: Scenario): { readonly skip: string | false } {
  return { skip: scenario.obstacle() ?? false };
}
