import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { logExport } from './log-export.ts';
import { logProve } from './log-prove.ts';
import { logShow } from './log-show.ts';
import { logTail } from './log-tail.ts';
import { logVerify } from './log-verify.ts';

export function logCommand(run: Run): Command {
  const commands = [logVerify, logProve, logExport, logShow, logTail];
  return commandGroup('log', 'The tamper-evident log', commands, run);
}
