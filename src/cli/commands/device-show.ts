import { Command } from 'commander';
import type { ActResult } from '#admin';
import { formatFields, shown } from '../render/fields.ts';
import { paintState } from '../render/paint.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { certificateTable, externalAccountKeyTable, requestTable, secretTable } from '../tables.ts';
import { teach } from '../teach.ts';

export function deviceShow(run: Run): Command {
  return teach(new Command('show'), {
    summary: 'Show a device with its certificates, secrets, external account keys and waiting requests',
    when: 'When someone asks what a device has, or why it gets nothing. Requests that were refused are not here but in the log: `sallyport log tail`.',
    examples: ['sallyport device show laptop-7'],
    exits: [3, 4],
  })
    .argument('<device>', 'its id')
    .action(run(show));
}

async function show(session: Session, id: string): Promise<void> {
  const found = await session.perform('showDevice', { id });
  session.print(found, () => words(session, found));
}

function words(
  session: Session,
  { device, certificates, secrets, externalAccountKeys, requests }: ActResult<'showDevice'>,
): string {
  const { paint, now } = session;
  const fields = formatFields([
    ['device', paint.strong(shown(device.id)!)],
    ['class', shown(device.deviceClass)],
    ['state', paintState(device.state, paint)],
    ['serial number', shown(device.serialNumber)],
    ['owner', shown(device.owner)],
    ...Object.entries(device.identifiers).map(([name, value]) => [shown(name)!, shown(value)] as const),
    ['imported', describeTime(device.createdAt, now)],
    ['changed', describeTime(device.updatedAt, now)],
  ]);
  const tables = [
    certificates.length === 0 ? null : certificateTable(session, certificates),
    secrets.length === 0 ? null : secretTable(session, secrets),
    externalAccountKeys.length === 0 ? null : externalAccountKeyTable(session, externalAccountKeys),
    requests.length === 0 ? null : requestTable(session, requests),
  ];
  return [fields, ...tables.filter((table) => table !== null)].join('\n');
}
