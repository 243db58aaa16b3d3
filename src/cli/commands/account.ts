import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { accountList } from './account-list.ts';
import { accountRevoke } from './account-revoke.ts';

export function accountCommand(run: Run): Command {
  return commandGroup('account', 'ACME accounts', [accountList, accountRevoke], run);
}
