import { Command } from 'commander';
import { allPages } from '../all-pages.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { requestTable } from '../tables.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly all?: boolean;
  readonly limit?: number;
}

export function requestList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List the requests that wait for an operator',
    when:
      'To see what there is to decide. Only requests that an operator could approve wait at all: every other objection is final, and such a request is in ' +
      'the log (`sallyport log tail`). --all shows those that were decided too.',
    examples: ['sallyport request list', 'sallyport request list --all --json'],
    exits: [3, 4],
  })
    .option('--all', 'also those that are approved, denied or issued')
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { all, limit }: ListOptions): Promise<void> {
  const state = all === true ? undefined : 'pending';
  const requests = await allPages(limit, (page) => session.perform('listRequests', { state, ...page }));
  session.print(requests, () =>
    requests.length === 0 ? 'No requests wait.\n' : requestTable(session, requests),
  );
}
