import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { trustExport } from './trust-export.ts';

export function trustCommand(run: Run): Command {
  return commandGroup('trust', 'What clients pin to trust this authority', [trustExport], run);
}
