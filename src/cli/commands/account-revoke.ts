import { Command } from 'commander';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function accountRevoke(run: Run): Command {
  return teach(new Command('revoke'), {
    summary: 'End an ACME account for ever',
    when:
      'When somebody else has its key, or its owner is to order nothing more. Whatever it asks is refused from then on; its owner needs another external account ' +
      'key for another account. Certificates that it has stay: revoke those that nobody is to trust.',
    examples: ['sallyport account revoke q2Zt1YwFQm6cZ0vX2k5nJA --remark "web-1 was broken into"'],
    exits: [3, 4],
  })
    .argument('<account>', 'its id, from `account list`')
    .option('--remark <text>', 'why, for the log')
    .action(run(revoke));
}

async function revoke(
  session: Session,
  id: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const revoked = await session.perform('revokeAccount', { id, remark });
  session.print(revoked, () => `Account ${revoked.id} is revoked.\n`);
}
