// npm test [-- FILE|FOLDER|GLOB ...] [--name PATTERN] [--minutes N]
// Node's test runner over our globs; after its closing lines, what was skipped and why.
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { TestTally } from './test-tally.ts';

const everyTest = ['src/**/*.test.ts', 'test/**/*.test.ts'];
const minutesForOneTest = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', multiple: true, default: [] },
    minutes: { type: 'string', default: '45' },
  },
});

const wanted = positionals.length === 0 ? everyTest : positionals;
const timeUp = AbortSignal.timeout(Number(values.minutes) * 60_000);
const tally = new TestTally();

// Each file is a process that loads what the others load; with what `sallyport` keeps.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/sallyport');

const stream = run({
  files: [...new Set(wanted.flatMap(filesOf))].toSorted(),
  // A test waits half of its time: for the disk, a child process, a signature on another thread.
  concurrency: availableParallelism() + 1,
  // As `sallyport` runs: Cedar's WebAssembly is compiled and not optimised.
  execArgv: ['--liftoff-only'],
  timeout: minutesForOneTest * 60_000,
  signal: timeUp,
  ...(values.name.length === 0 ? {} : { testNamePatterns: values.name }),
});
stream.on('test:pass', (test) => tally.passed(test));
stream.on('test:summary', (summary) => tally.summarised(summary));

// The runner ends its children when the time is up; one that will not end must not hold the run for ever.
timeUp.addEventListener('abort', () => setTimeout(finish, 15_000).unref());

await pipeline(stream, new spec(), process.stdout, { end: false });
finish();

function finish(): void {
  const problems = tally.problems({ filtered: values.name.length > 0 });
  if (timeUp.aborted) problems.push(`stopped after ${values.minutes} minutes; --minutes N gives it more`);
  const lines = [...tally.skips(), ...problems.map((problem) => `npm test: ${problem}`)];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exit(problems.length === 0 && tally.success ? 0 : 1);
}

function filesOf(pattern: string): string[] {
  const isFolder = statSync(pattern, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const found = globSync(isFolder ? `${pattern}/**/*.test.ts` : pattern);
  if (found.length > 0 || positionals.length === 0) return found;
  process.stderr.write(`npm test: no test file matches ${pattern}\n`);
  process.exit(1);
}
