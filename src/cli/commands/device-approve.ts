import { Command, Option } from 'commander';
import { liftableBeforehand } from '#admin';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

type Liftable = (typeof liftableBeforehand)[number];

export function deviceApprove(run: Run): Command {
  return teach(new Command('approve'), {
    summary: "Approve a device's next first enrollment beforehand",
    when:
      'For clients that cannot wait while an operator decides (Intune and many other MDMs), or when you are expecting the device. It lifts what a first ' +
      'enrollment is held for, once, for whatever key the device brings; every other control still counts, its secret among them. ' +
      '--lift names what else it lifts, instead: `attestation-rollback` (a mainboard was replaced), `attestation-shared` (a TPM moved here), `renewal-lineage` (a client lost ' +
      'what it got, and makes a new key each time). Nothing can be read of it yet: approve the request that waits (`request approve`) where its client keeps its key.',
    examples: [
      'sallyport device approve laptop-7 --template device',
      'sallyport device approve laptop-7 --template device --lift attestation-rollback',
    ],
    exits: [3, 4],
  })
    .argument('<device>', 'its id')
    .requiredOption('--template <name>', 'what it will enroll for')
    .addOption(
      new Option('--lift <control...>', 'lift these, instead of what a first enrollment is held for').choices(
        liftableBeforehand,
      ),
    )
    .action(run(approve));
}

async function approve(
  session: Session,
  id: string,
  { template, lift }: { readonly template: string; readonly lift?: readonly Liftable[] },
): Promise<void> {
  const approval = await session.perform('approveDevice', {
    id,
    template,
    ...(lift === undefined ? {} : { lifts: [...lift] }),
  });
  session.print(approval, () =>
    lift === undefined
      ? `Approved: ${id} may enroll for ${template} until ${describeTime(approval.expiresAt, session.now)}.\n`
      : `Approved: until ${describeTime(approval.expiresAt, session.now)} the next certificate of ${id} for ${template} needs no operator for ${approval.lifts.join(', ')}.\n`,
  );
}
