import { Command, Option } from 'commander';
import type { DeviceView } from '#admin';
import { deviceStates, type DeviceState } from '#inventory';
import { allPages } from '../all-pages.ts';
import { paintState } from '../render/paint.ts';
import { formatTable } from '../render/table.ts';
import { relativeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly state?: DeviceState;
  readonly class?: string;
  readonly limit?: number;
}

export function deviceList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'List the devices of the inventory',
    when: 'To see who may ask at all, and in which state. expected: imported, nothing issued yet. active: has had a certificate.',
    examples: ['sallyport device list --state expected', 'sallyport device list --class laptop --json'],
    exits: [3, 4],
  })
    .addOption(new Option('--state <state>', 'only devices in this state').choices(deviceStates))
    .option('--class <name>', 'only devices of this class')
    .option('--limit <n>', 'no more than so many', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const devices = await allPages(options.limit, (page) =>
    session.perform('listDevices', { state: options.state, deviceClass: options.class, ...page }),
  );
  session.print(devices, () => (devices.length === 0 ? 'No devices.\n' : deviceTable(session, devices)));
}

function deviceTable({ paint, now }: Session, devices: readonly DeviceView[]): string {
  const columns = [
    { title: 'DEVICE', shrinkTo: 16 },
    { title: 'CLASS', shrinkTo: 10 },
    { title: 'STATE', paint: (text: string) => paintState(text, paint) },
    { title: 'SERIAL NUMBER', shrinkTo: 13 },
    { title: 'OWNER', shrinkTo: 10 },
    { title: 'CHANGED' },
  ];
  const row = ({ id, deviceClass, state, serialNumber, owner, updatedAt }: DeviceView) => [
    id,
    deviceClass,
    state,
    serialNumber ?? '-',
    owner ?? '-',
    relativeTime(Date.parse(updatedAt), now),
  ];
  return formatTable(columns, devices.map(row));
}
