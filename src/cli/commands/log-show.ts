import { Command } from 'commander';
import type { ActResult } from '#admin';
import { showCertificationRequest } from '../certification-request.ts';
import { entryWords } from '../entry-words.ts';
import { printable } from '../render/printable.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function logShow(run: Run): Command {
  return teach(new Command('show'), {
    summary: 'Show one entry of the log',
    when:
      'When someone calls with the support code that their device was shown (R-…): here is what was asked, what was seen, and which controls objected. ' +
      'With --json the entry as it was logged; with --csr the certification request itself, as it came, but for a challenge in it.',
    examples: [
      'sallyport log show R-7K2M-9QXT-4B1D-E8WV',
      'sallyport log show 0 --json',
      'sallyport log show R-7K2M-9QXT-4B1D-E8WV --csr',
    ],
    exits: [3, 4],
  })
    .argument('<entry>', "its index, or a request's support code, or an act's id")
    .option('--csr', 'the certification request that came, in PEM')
    .action(run(show));
}

async function show(session: Session, id: string, { csr }: { readonly csr?: boolean }): Promise<void> {
  if (csr === true) return showCertificationRequest(session, id);
  const found = await session.perform('showEntry', { id });
  session.print(found, () => entryWords(session, label(found), found.entry));
}

function label({ index, earlierLog }: ActResult<'showEntry'>): string {
  return earlierLog === null ? String(index) : `${index} of the log ${printable(earlierLog)}`;
}
