import { Command, Option } from 'commander';
import type { SecretState } from '#admin';
import { allPages } from '../all-pages.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { secretTable } from '../tables.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly device?: string;
  readonly state?: SecretState;
  readonly limit?: number;
}

const states = ['live', 'reserved', 'spent', 'void'] as const satisfies readonly SecretState[];

export function secretList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List one-time secrets and their states, never the secrets themselves',
    when:
      'To see what is open. live: nobody has used it. reserved: bound to one key, while its request waits. spent: a certificate was issued for it. ' +
      'void: revoked, or its device was retired.',
    examples: ['sallyport secret list --state live', 'sallyport secret list --device laptop-7 --json'],
    exits: [3, 4],
  })
    .option('--device <id>', 'only those of this device')
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { device, state, limit }: ListOptions): Promise<void> {
  const secrets = await allPages(limit, (page) => session.perform('listSecrets', { device, state, ...page }));
  session.print(secrets, () => (secrets.length === 0 ? 'No secrets.\n' : secretTable(session, secrets)));
}
