import { Command } from 'commander';
import { showCertificationRequest } from '../certification-request.ts';
import { requestWords } from '../request-words.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function requestShow(run: Run): Command {
  return teach(new Command('show'), {
    summary: 'Show a waiting request, with the objections in words',
    when: 'Before you decide: what would be certified, for which key, who asked from where, and which controls object. With --csr the certification request itself.',
    examples: ['sallyport request show R-7K2M-9QXT-4B1D-E8WV'],
    exits: [3, 4],
  })
    .argument('<request>', 'its id')
    .option('--csr', 'the certification request that came first, in PEM')
    .action(run(show));
}

async function show(session: Session, id: string, { csr }: { readonly csr?: boolean }): Promise<void> {
  if (csr === true) return showCertificationRequest(session, id);
  const request = await session.perform('showRequest', { id });
  session.print(request, () => requestWords(session, request));
}
