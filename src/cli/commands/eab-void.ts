import { Command } from 'commander';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function eabVoid(run: Run): Command {
  return teach(new Command('void'), {
    summary: 'End an external account key, with the account that was made with it',
    when:
      'When it has leaked, or its owner is to order nothing more. A live one makes no account from then on; the account of a spent one gets nothing more, at ' +
      'once. Certificates that it has stay: revoke those that nobody is to trust.',
    examples: ['sallyport eab void K-7K2M-9QXT-4B1D-E8WV --remark "sent to the wrong person"'],
    exits: [3, 4],
  })
    .argument('<key>', 'its id, from `eab list`; never the key itself')
    .option('--remark <text>', 'why, for the log')
    .action(run(end));
}

async function end(
  session: Session,
  id: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const ended = await session.perform('voidExternalAccountKey', { id, remark });
  session.print(ended, () => `External account key ${ended.id} is void, and so is what was made with it.\n`);
}
