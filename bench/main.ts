import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAcme } from './acme.ts';
import { benchCrl } from './crl.ts';
import { benchEnrollments, type BenchSettings } from './enrollments.ts';
import { estProtocol } from './est.ts';
import { benchEvidence } from './evidence.ts';
import { scepProtocol } from './scep.ts';
import { benchUnopened } from './unopened.ts';

type Bench = (
  settings: BenchSettings & {
    readonly requests: number;
    /** Nobody named a number of workers. */
    readonly allWorkers: boolean;
  },
  say: (line: string) => void,
) => Promise<object>;

const benches = {
  est: (settings, say) => benchEnrollments(estProtocol, settings, say),
  scep: (settings, say) => benchEnrollments(scepProtocol, settings, say),
  acme: benchAcme,
  crl: benchCrl,
  unopened: benchUnopened,
  evidence: benchEvidence,
} as const satisfies Record<string, Bench>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    workers: { type: 'string' },
    renewals: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    postgres: { type: 'boolean', default: false },
    nodes: { type: 'string', default: '1' },
    requests: { type: 'string', default: '20000' },
    certificates: { type: 'string', default: '0' },
    'single-commits': { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});

const name = positionals[0] ?? '';
if (!Object.hasOwn(benches, name)) {
  console.error(
    `usage: npm run bench -- NAME [--seconds N] [--workers N] [--renewals] [--profile] [--no-peers] [--postgres [--nodes N]] [--certificates N] [--requests N] [--single-commits] [--folder DIR]; NAME is one of ${Object.keys(benches).join(', ')}`,
  );
  process.exit(2);
}
// Where databases are made: a disk or memory, as its file system says.
process.env['TMPDIR'] = values.folder;
const settings = {
  seconds: positive(values.seconds, 'seconds'),
  workers: positive(values.workers ?? '8', 'workers'),
  allWorkers: values.workers === undefined,
  peers: !values['no-peers'],
  renewals: values.renewals,
  profile: values.profile,
  requests: positive(values.requests, 'requests'),
  certificates: wholeNumber(values.certificates, 'certificates', 0),
  singleCommits: values['single-commits'],
  nodes: values.postgres ? positive(values.nodes, 'nodes') : null,
};
const result = await benches[name as keyof typeof benches](settings, (line) => console.log(line));
console.log(JSON.stringify(result));

function positive(text: string, option: string): number {
  return wholeNumber(text, option, 1);
}

function wholeNumber(text: string, option: string, minimum: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < minimum) {
    console.error(`--${option} takes a whole number of ${minimum} or more`);
    process.exit(2);
  }
  return value;
}
