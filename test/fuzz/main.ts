// npm run fuzz -- [--protocol est|scep] [--requests N] [--seed N] [--workers N] [--first-connection N]
// Mutated requests against `sallyport serve`. The last line is JSON; the exit code is 0 when nothing was wrong.
import { execFile } from 'node:child_process';
import { parseArgs } from 'node:util';
import { residentBytesOf } from '../../bench/process-cpu.ts';
import { command } from '../harness/authority.ts';
import { Fuzz, type FuzzSettings } from './fuzz.ts';
import { ScepFuzz } from './scep-fuzz.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'est' },
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '32' },
    'first-connection': { type: 'string', default: '0' },
  },
});
const settings = {
  requests: wholeNumber('requests'),
  seed: wholeNumber('seed'),
  workers: wholeNumber('workers'),
  firstConnection: wholeNumber('first-connection'),
};

const fuzzes = { est: Fuzz, scep: ScepFuzz } as const;
const { protocol } = values;
if (!Object.hasOwn(fuzzes, protocol)) {
  process.stderr.write('--protocol is est or scep\n');
  process.exit(2);
}

const ends: (() => Promise<void> | void)[] = [];
try {
  process.exitCode = (await run(settings)) ? 0 : 1;
} finally {
  for (const end of ends.toReversed()) await end();
}

async function run(settings: FuzzSettings): Promise<boolean> {
  say(`seed ${settings.seed}`);
  const cleanup = { after: (end: () => Promise<void> | void) => void ends.push(end) };
  const fuzz = await fuzzes[protocol as keyof typeof fuzzes].start(cleanup, settings, say);
  const started = performance.now();
  const residentMegabytes: number[] = [];
  const result = await fuzz.run(() => {
    const { requests } = fuzz.result;
    if (requests < ((residentMegabytes.length + 1) / 10) * settings.requests) return;
    const resident = Math.round(residentBytesOf(fuzz.authority.process.pid!) / 2 ** 20);
    residentMegabytes.push(resident);
    const seconds = Math.round((performance.now() - started) / 1000);
    say(`${seconds} s: ${requests} requests, ${resident} MB`);
  });
  const seconds = (performance.now() - started) / 1000;
  say('verifying the log');
  const verifying = performance.now();
  const logVerified = await verifyLog(fuzz.authority.configuration);
  const verifySeconds = Math.round((performance.now() - verifying) / 1000);
  const { unlogged, surplus, faults, hangs, unanswered, unentitled } = result;
  const figures = { seconds: Math.round(seconds), perSecond: Math.round(result.requests / seconds) };
  say(
    JSON.stringify({
      fuzz: protocol,
      ...settings,
      ...result,
      ...figures,
      residentMegabytes,
      logVerified,
      verifySeconds,
    }),
  );
  return logVerified && unlogged + surplus + faults + hangs + unanswered + unentitled === 0;
}

/** A long log takes its time. */
async function verifyLog(configuration: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, ['log', 'verify', '--json', '--config', configuration], (error, stdout, stderr) => {
      if (error !== null) say(`${stdout}\n${stderr}`);
      resolve(error === null);
    });
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(option: Exclude<keyof typeof values, 'protocol'>): number {
  const value = Number(values[option]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${option} takes a whole number\n`);
  process.exit(2);
}
