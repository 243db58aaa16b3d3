import { Command, Option } from 'commander';
import type { ExternalAccountKeyState } from '#admin';
import { allPages } from '../all-pages.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { externalAccountKeyTable } from '../tables.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly device?: string;
  readonly state?: ExternalAccountKeyState;
  readonly limit?: number;
}

const states = ['live', 'spent', 'void'] as const satisfies readonly ExternalAccountKeyState[];

export function eabList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List external account keys and what they give, never the keys themselves',
    when:
      'To see who was given what. live: no account was made with it. spent: one was, and is bound by it. void: ended, or its device was retired; its account ' +
      'has no power then. With --json: also the account, and how many sets of names it may have.',
    examples: ['sallyport eab list --state live', 'sallyport eab list --device web-1 --json'],
    exits: [3, 4],
  })
    .option('--device <id>', 'only those of this device')
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { device, state, limit }: ListOptions): Promise<void> {
  const keys = await allPages(limit, (page) =>
    session.perform('listExternalAccountKeys', { device, state, ...page }),
  );
  session.print(keys, () =>
    keys.length === 0 ? 'No external account keys.\n' : externalAccountKeyTable(session, keys),
  );
}
