import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { eabCreate } from './eab-create.ts';
import { eabList } from './eab-list.ts';
import { eabVoid } from './eab-void.ts';

export function eabCommand(run: Run): Command {
  const summary = 'External account keys, with which ACME accounts are made';
  return commandGroup('eab', summary, [eabCreate, eabList, eabVoid], run);
}
