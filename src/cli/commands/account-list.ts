import { Command } from 'commander';
import { allPages } from '../all-pages.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { accountTable } from '../tables.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly device?: string;
  readonly limit?: number;
}

export function accountList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List ACME accounts, whose they are and what they may',
    when:
      'To see who can order certificates. valid: it can. deactivated: its owner has ended it. revoked: an operator has. void: the external account key that it ' +
      'was made with is. With --json: also its contact, the thumbprint of its key, and how many sets of names it may have.',
    examples: ['sallyport account list', 'sallyport account list --device web-1 --json'],
    exits: [3, 4],
  })
    .option('--device <id>', 'only those of this device')
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { device, limit }: ListOptions): Promise<void> {
  const accounts = await allPages(limit, (page) => session.perform('listAccounts', { device, ...page }));
  session.print(accounts, () => (accounts.length === 0 ? 'No accounts.\n' : accountTable(session, accounts)));
}
