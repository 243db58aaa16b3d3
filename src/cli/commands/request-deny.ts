import { Command } from 'commander';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function requestDeny(run: Run): Command {
  return teach(new Command('deny'), {
    summary: 'Deny a waiting request',
    when: 'When nobody expects it. The secret it came with becomes void, so the client needs another one to ask again. Suspend the device too where you suspect it.',
    examples: ['sallyport request deny R-7K2M-9QXT-4B1D-E8WV --remark "nobody knows it"'],
    exits: [3, 4],
  })
    .argument('<request>', 'its id, from `request list`')
    .option('--remark <text>', 'why, for the log')
    .action(run(deny));
}

async function deny(
  session: Session,
  id: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const denied = await session.perform('denyRequest', { id, remark });
  session.print(denied, () => `Denied: request ${denied.id} of device ${denied.device}.\n`);
}
