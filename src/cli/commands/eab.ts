import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { eabCreate } from './eab-create.ts';

export function eabCommand(run: Run): Command {
  return commandGroup('eab', 'External account keys, with which ACME accounts are made', [eabCreate], run);
}
