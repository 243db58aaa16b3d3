import { Command, Option } from 'commander';
import type { ActResult } from '#admin';
import { checkDuration } from '../duration-option.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface RotateOptions {
  readonly lifetime?: string;
  readonly overlap?: string;
  readonly atOnce?: boolean;
}

export function machineRotate(run: Run): Command {
  return teach(new Command('rotate'), {
    summary: 'Print a new token for a machine; the ones before end an hour later',
    when:
      'Before its token ends, and at once when somebody has seen it: then with --at-once, and look with `secret list` what was made meanwhile. ' +
      'After a restore every machine needs a new token: what was rotated or revoked after the backup would be good again.',
    examples: [
      'sallyport machine rotate mdm',
      'sallyport machine rotate mdm --lifetime 30d --overlap 15m',
      'sallyport machine rotate mdm --at-once',
    ],
    exits: [3, 4],
  })
    .argument('<name>', 'the machine')
    .option('--lifetime <duration>', 'of the new token, at most 366d (default: 90d)', checkDuration)
    .option(
      '--overlap <duration>',
      'how long the ones before stay good, at most 7d (default: 1h)',
      checkDuration,
    )
    .addOption(new Option('--at-once', 'the ones before end now').conflicts('overlap'))
    .action(run(rotate));
}

async function rotate(session: Session, name: string, options: RotateOptions): Promise<void> {
  const { parseDuration } = await import('#config');
  const { lifetime, overlap, atOnce = false } = options;
  const rotated = await session.perform('rotateMachine', {
    name,
    lifetimeSeconds: lifetime === undefined ? null : parseDuration(lifetime),
    ...(atOnce ? { overlapSeconds: 0 } : {}),
    ...(overlap === undefined ? {} : { overlapSeconds: parseDuration(overlap) }),
  });
  session.print(rotated, () => words(session, rotated, atOnce));
}

function words(
  { paint, now }: Session,
  { name, token, expiresAt, othersUntil }: ActResult<'rotateMachine'>,
  atOnce: boolean,
): string {
  return `\
The new token of machine ${name}. It is shown this once:

  ${paint.strong(token)}

It can be used until ${describeTime(expiresAt, now)}.
${atOnce ? 'The ones before have ended.' : `The ones before end ${describeTime(othersUntil, now)}.`}
`;
}
