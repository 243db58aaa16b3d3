import { Command, Option } from 'commander';
import type { CertificateView } from '#admin';
import { allPages } from '../all-pages.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { certificateTable } from '../tables.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly device?: string;
  readonly template?: string;
  readonly state?: CertificateView['state'];
  readonly limit?: number;
}

const states = ['current', 'revoked', 'expired'] as const satisfies readonly CertificateView['state'][];

export function certificateList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List issued certificates, the oldest first',
    when: 'To see what is out there. Every certificate is here: one that is not was never issued by this authority.',
    examples: [
      'sallyport certificate list --state current',
      'sallyport certificate list --device laptop-7 --json',
    ],
    exits: [3, 4],
  })
    .option('--device <id>', 'only those of this device')
    .option('--template <name>', 'only those of this template')
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { device, template, state, limit }: ListOptions): Promise<void> {
  const certificates = await allPages(limit, (page) =>
    session.perform('listCertificates', { device, template, state, ...page }),
  );
  session.print(certificates, () =>
    certificates.length === 0 ? 'No certificates.\n' : certificateTable(session, certificates),
  );
}
