import { Command } from 'commander';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function deviceApprove(run: Run): Command {
  return teach(new Command('approve'), {
    summary: "Approve a device's next first enrollment beforehand",
    when:
      'For clients that cannot wait while an operator decides (Intune and many other MDMs), or when you are expecting the device. It lifts what a first ' +
      'enrollment is held for, once, for whatever key the device brings; every other control still counts, its secret among them.',
    examples: ['sallyport device approve laptop-7 --template device'],
    exits: [3, 4],
  })
    .argument('<device>', 'its id')
    .requiredOption('--template <name>', 'what it will enroll for')
    .action(run(approve));
}

async function approve(
  session: Session,
  id: string,
  { template }: { readonly template: string },
): Promise<void> {
  const approval = await session.perform('approveDevice', { id, template });
  session.print(
    approval,
    () =>
      `Approved: ${id} may enroll for ${template} until ${describeTime(approval.expiresAt, session.now)}.\n`,
  );
}
