import { parseArgs } from 'node:util';
import { benchEst } from './est.ts';

const benches = { est: benchEst } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    workers: { type: 'string', default: '8' },
    renewals: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    postgres: { type: 'boolean', default: false },
    nodes: { type: 'string', default: '1' },
  },
});

const name = positionals[0] ?? '';
if (!Object.hasOwn(benches, name)) {
  console.error(
    `usage: npm run bench -- NAME [--seconds N] [--workers N] [--renewals] [--profile] [--postgres [--nodes N]]; NAME is one of ${Object.keys(benches).join(', ')}`,
  );
  process.exit(2);
}
const settings = {
  seconds: positive(values.seconds, 'seconds'),
  workers: positive(values.workers, 'workers'),
  renewals: values.renewals,
  profile: values.profile,
  nodes: values.postgres ? positive(values.nodes, 'nodes') : null,
};
const result = await benches[name as keyof typeof benches](settings, (line) => console.log(line));
console.log(JSON.stringify(result));

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    console.error(`--${option} takes a whole number of 1 or more`);
    process.exit(2);
  }
  return value;
}
