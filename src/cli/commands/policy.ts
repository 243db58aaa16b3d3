import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { policyCheck } from './policy-check.ts';

export function policyCommand(run: Run): Command {
  return commandGroup('policy', 'The controls by which requests are judged', [policyCheck], run);
}
