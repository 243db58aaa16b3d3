import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { machineCreate } from './machine-create.ts';
import { machineList } from './machine-list.ts';
import { machinePin } from './machine-pin.ts';
import { machineRevoke } from './machine-revoke.ts';
import { machineRotate } from './machine-rotate.ts';

export function machineCommand(run: Run): Command {
  const commands = [machineCreate, machineList, machineRotate, machinePin, machineRevoke];
  return commandGroup('machine', 'Machines that ask the API: MDMs, NACs, scripts', commands, run);
}
