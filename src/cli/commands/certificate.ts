import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { certificateList } from './certificate-list.ts';
import { certificateRevoke } from './certificate-revoke.ts';
import { certificateShow } from './certificate-show.ts';

export function certificateCommand(run: Run): Command {
  return commandGroup(
    'certificate',
    'Issued certificates',
    [certificateList, certificateShow, certificateRevoke],
    run,
  );
}
