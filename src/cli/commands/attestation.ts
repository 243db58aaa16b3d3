import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { attestationFetchStatus } from './attestation-fetch-status.ts';
import { attestationKeys } from './attestation-keys.ts';
import { attestationRecheck } from './attestation-recheck.ts';

export function attestationCommand(run: Run): Command {
  return commandGroup(
    'attestation',
    'Evidence of hardware that certificates rest on',
    [attestationFetchStatus, attestationRecheck, attestationKeys],
    run,
  );
}
