import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import type { Cleanup } from '../harness/authority.ts';
import { seeded } from './random.ts';
import type { Faults, Scenario } from './scenario.ts';

export interface ScenarioReport {
  readonly runs: number;
  /** Runs in which the fault came. */
  readonly reached: number;
  readonly findings: number;
  /** Why it was not run. */
  readonly skipped?: string;
}

/** These runs, by their numbers. Each finding is said with what it takes to look for it again. */
export async function runScenario(
  name: string,
  scenario: Scenario,
  { runs, seed }: { readonly runs: readonly number[]; readonly seed: string },
  say: (line: string) => void,
): Promise<ScenarioReport> {
  const obstacle = scenario.obstacle();
  if (obstacle !== null) return { runs: 0, reached: 0, findings: 0, skipped: obstacle };
  if (scenario.mounts && process.env[ownMounts] === undefined) {
    const [from = 0] = runs;
    const words = ['--runs', String(runs.length), '--from', String(from), '--seed', seed, '--only', name];
    return inProcessOfItsOwn(words, say);
  }
  let [reached, findings] = [0, 0];
  const waiting = [...runs];
  while (waiting.length > 0) {
    const ends: (() => Promise<void> | void)[] = [];
    const cleanup: Cleanup = { after: (end) => void ends.push(end) };
    try {
      const faults = await scenario.open(cleanup, seeded(`${seed} ${name} ${waiting[0]} clients`));
      let broken = false;
      for (let count = 0; count < runsOfOneAuthority && waiting.length > 0 && !broken; count += 1) {
        const at = waiting.shift()!;
        const result = await oneRun(faults, at, seeded(`${seed} ${name} ${at}`));
        say(`${name} ${at}: ${result.what}${result.reached ? '' : ', not reached'}, ${result.seconds} s`);
        for (const words of result.findings) say(`FINDING ${name} run ${at} seed ${seed}: ${words}`);
        reached += result.reached ? 1 : 0;
        findings += result.findings.length;
        // What is broken stays so: the next run begins with an authority of its own.
        broken = result.findings.length > 0;
      }
    } finally {
      for (const end of ends.reverse()) await end();
    }
  }
  return { runs: runs.length, reached, findings };
}

const runsOfOneAuthority = 20;

async function oneRun(faults: Faults, at: number, random: ReturnType<typeof seeded>) {
  const started = performance.now();
  const result = await faults.run(at, random).catch((error: unknown) => ({
    what: 'the run itself failed',
    reached: true,
    findings: [inspect(error)],
  }));
  return { ...result, seconds: ((performance.now() - started) / 1000).toFixed(1) };
}

/** Variable of a process whose mounts are its own. */
const ownMounts = 'FAULTS_OWN_MOUNTS';

/** The same program, in a name space of mounts that ends with it. */
async function inProcessOfItsOwn(
  words: readonly string[],
  say: (line: string) => void,
): Promise<ScenarioReport> {
  const main = new URL('./main.ts', import.meta.url).pathname;
  const child = spawn('unshare', ['--mount', '--propagation', 'private', process.execPath, main, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, [ownMounts]: '1' },
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (last !== '') say(last);
    last = line;
  }
  const { byScenario } = JSON.parse(last) as { byScenario: Readonly<Record<string, ScenarioReport>> };
  return Object.values(byScenario)[0]!;
}
