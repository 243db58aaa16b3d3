import { Command } from 'commander';
import { requestWords } from '../request-words.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { describeTime } from '../render/time.ts';

export function requestApprove(run: Run): Command {
  return teach(new Command('approve'), {
    summary: 'Approve a waiting request',
    when:
      'When you know the device and expect this key. You approve its device, template, public key and names, and lift the objections that are shown; ' +
      'nothing else. No certificate is made yet: the client asks again by itself, everything is judged again, and a device suspended meanwhile gets nothing.',
    examples: ['sallyport request approve R-7K2M-9QXT-4B1D-E8WV --remark "called the owner"'],
    exits: [3, 4],
  })
    .argument('<request>', 'its id, from `request list`')
    .option('--remark <text>', 'why, for the log')
    .action(run(approve));
}

async function approve(
  session: Session,
  id: string,
  { remark = null }: { readonly remark?: string | null },
): Promise<void> {
  const request = await session.perform('showRequest', { id });
  // What is lifted is what was shown: were there another objection by now, the authority refuses.
  const lifts = request.objections.map(({ control }) => control);
  const approved = await session.perform('approveRequest', { id, lifts, remark });
  session.print(approved, () => {
    const words = `Approved. The client has until ${describeTime(approved.expiresAt, session.now)} to ask again.`;
    return `${requestWords(session, { ...request, state: 'approved' })}\n${session.paint.good(words)}\n`;
  });
}
