import { Command } from 'commander';
import type { ActName } from '#admin';
import { paintState } from '../render/paint.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach, type Lesson } from '../teach.ts';

type StateAct = Extract<ActName, 'suspendDevice' | 'resumeDevice' | 'retireDevice'>;

export function deviceSuspend(run: Run): Command {
  return stateCommand(run, 'suspend', 'suspendDevice', {
    summary: 'Stop a device: every request of it is refused until it is resumed',
    when:
      'When a device is lost, or behaves oddly, and you want to look first. Requests that are held, approved ones too, get nothing while it is ' +
      'suspended. Certificates it has stay valid: revoke them where they must not be used either.',
    examples: ['sallyport device suspend laptop-7 --remark "left in a train"'],
  });
}

export function deviceResume(run: Run): Command {
  return stateCommand(run, 'resume', 'resumeDevice', {
    summary: 'Let a suspended device enroll again',
    when: 'When what you suspended it for is cleared up. What it had (secrets, approvals, waiting requests) counts again.',
    examples: ['sallyport device resume laptop-7'],
  });
}

export function deviceRetire(run: Run): Command {
  return stateCommand(run, 'retire', 'retireDevice', {
    summary: 'Retire a device for good',
    when:
      'When a device is sold, lost or scrapped. Its open secrets and approvals become void and its waiting requests are denied. There is no way back. ' +
      'Certificates it has stay valid until they end: revoke them with `sallyport certificate revoke`.',
    examples: ['sallyport device retire laptop-7 --remark "sold"'],
  });
}

function stateCommand(run: Run, name: string, act: StateAct, lesson: Lesson): Command {
  return teach(new Command(name), { ...lesson, exits: [3, 4] })
    .argument('<device>', 'its id')
    .option('--remark <text>', 'why, for the log')
    .action(
      run(async (session: Session, id: string, { remark = null }: { readonly remark?: string | null }) => {
        const changed = await session.perform(act, { id, remark });
        session.print(changed, () => `Device ${id} is ${paintState(changed.state, session.paint)}.\n`);
      }),
    );
}
