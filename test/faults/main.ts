// npm run faults -- --runs N [--seed S] [--only NAME ...] [--from RUN]
import { parseArgs } from 'node:util';
import { runScenario, type ScenarioReport } from './runner.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';

const names = Object.keys(scenarios) as ScenarioName[];
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: String(names.length) },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now()) },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);
const chosen = names.filter((name) => values.only.length === 0 || values.only.includes(name));
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || values.only.some((name) => !Object.hasOwn(scenarios, name))) {
  process.stderr.write(
    `usage: npm run faults -- --runs N [--seed S] [--only NAME ...] [--from RUN]; NAME is one of ${names.join(', ')}\n`,
  );
  process.exit(2);
}

const byScenario: Record<string, ScenarioReport> = {};
for (const [at, name] of chosen.entries()) {
  // Dealt out as evenly as can be.
  const share = Math.floor(runs / chosen.length) + (at < runs % chosen.length ? 1 : 0);
  if (share === 0) continue;
  const numbers = Array.from({ length: share }, (_, run) => Number(values.from) + run);
  byScenario[name] = await runScenario(name, scenarios[name], { runs: numbers, seed: values.seed }, say);
}
const reports = Object.values(byScenario);
const sum = (of: (report: ScenarioReport) => number) =>
  reports.reduce((total, report) => total + of(report), 0);
const findings = sum((report) => report.findings);
say(
  JSON.stringify({
    faults: true,
    runs: sum((report) => report.runs),
    findings,
    seed: values.seed,
    byScenario,
  }),
);
process.exitCode = findings === 0 ? 0 : 1;
