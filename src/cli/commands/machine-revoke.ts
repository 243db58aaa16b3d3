import { Command } from 'commander';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function machineRevoke(run: Run): Command {
  return teach(new Command('revoke'), {
    summary: 'End a machine for ever, with its tokens and certificates',
    when:
      'When nobody needs it any more, or somebody else has what it proves itself by. Secrets and external account keys ' +
      'that it made and nobody has used are void with it; accounts made with others go on (`eab list --state spent`). Its name stays taken; create a machine of another name.',
    examples: ['sallyport machine revoke mdm --remark "moved to another MDM"'],
    exits: [3, 4],
  })
    .argument('<name>', 'the machine')
    .option('--remark <text>', 'why, for the log')
    .action(run(revoke));
}

async function revoke(
  session: Session,
  name: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const revoked = await session.perform('revokeMachine', { name, remark });
  const { secrets, externalAccountKeys } = revoked;
  session.print(
    revoked,
    () =>
      `Machine ${revoked.name} is revoked: nothing that it has is good for anything. Void with it: ${secrets} secrets, ${externalAccountKeys} external account keys.\n`,
  );
}
