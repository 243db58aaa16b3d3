import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { rootsImport } from './roots-import.ts';
import { rootsList } from './roots-list.ts';

export function rootsCommand(run: Run): Command {
  return commandGroup('roots', 'Whom evidence of hardware is believed', [rootsImport, rootsList], run);
}
