import { Command } from 'commander';
import type { MachineView } from '#admin';
import { allPages } from '../all-pages.ts';
import { paintState } from '../render/paint.ts';
import { formatTable } from '../render/table.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

export function machineList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List the machines, what they may do, and when their tokens end',
    when:
      'To see who can ask the API at all, and whose token has to be rotated soon. What is listed is never a token. With --json: also the ranges ' +
      'of addresses, and the SHA-256 of each certificate that is pinned.',
    examples: ['sallyport machine list', 'sallyport machine list --json'],
    exits: [3, 4],
  })
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { limit }: { readonly limit?: number }): Promise<void> {
  const machines = await allPages(limit, (page) => session.perform('listMachines', { ...page }));
  session.print(machines, () => (machines.length === 0 ? 'No machines.\n' : table(session, machines)));
}

function table({ paint, now }: Session, machines: readonly MachineView[]): string {
  const columns = [
    { title: 'MACHINE', shrinkTo: 12 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'SCOPES', shrinkTo: 14 },
    { title: 'TEMPLATES', shrinkTo: 10 },
    { title: 'PINNED' },
    { title: 'TOKEN ENDS' },
  ];
  const row = ({ name, revokedAt, scopes, templates, certificates, tokens }: MachineView) => {
    const last = tokens.at(-1);
    return [
      name,
      revokedAt === null ? 'active' : 'revoked',
      scopes.join(' '),
      templates.join(' '),
      String(certificates.length),
      last === undefined ? '-' : describeTime(last.expiresAt, now),
    ];
  };
  return formatTable(columns, machines.map(row));
}
