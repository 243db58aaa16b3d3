import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { deviceApprove } from './device-approve.ts';
import { deviceErase } from './device-erase.ts';
import { deviceImport } from './device-import.ts';
import { deviceList } from './device-list.ts';
import { deviceShow } from './device-show.ts';
import { deviceResume, deviceRetire, deviceSuspend } from './device-state.ts';

export function deviceCommand(run: Run): Command {
  const commands = [
    deviceImport,
    deviceList,
    deviceShow,
    deviceApprove,
    deviceSuspend,
    deviceResume,
    deviceRetire,
    deviceErase,
  ];
  return commandGroup('device', 'The inventory: who may ask at all', commands, run);
}
