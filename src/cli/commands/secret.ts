import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { secretCreate } from './secret-create.ts';
import { secretList } from './secret-list.ts';
import { secretRevoke } from './secret-revoke.ts';

export function secretCommand(run: Run): Command {
  return commandGroup('secret', 'One-time enrollment secrets', [secretCreate, secretList, secretRevoke], run);
}
