import { Command } from 'commander';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function secretRevoke(run: Run): Command {
  return teach(new Command('revoke'), {
    summary: 'Make a secret void',
    when: 'When a secret has leaked or is not needed. Only live and reserved ones can be: a spent secret has done its work, revoke its certificate.',
    examples: ['sallyport secret revoke S-7K2M-9QXT-4B1D-E8WV --remark "sent to the wrong person"'],
    exits: [3, 4],
  })
    .argument('<secret>', 'its id, from `secret list`; never the secret itself')
    .option('--remark <text>', 'why, for the log')
    .action(run(revoke));
}

async function revoke(
  session: Session,
  id: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const revoked = await session.perform('revokeSecret', { id, remark });
  session.print(revoked, () => `Secret ${revoked.id} is void.\n`);
}
