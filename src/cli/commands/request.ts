import type { Command } from 'commander';
import { commandGroup } from '../command-group.ts';
import type { Run } from '../run.ts';
import { requestApprove } from './request-approve.ts';
import { requestDeny } from './request-deny.ts';
import { requestList } from './request-list.ts';
import { requestShow } from './request-show.ts';

export function requestCommand(run: Run): Command {
  const commands = [requestList, requestShow, requestApprove, requestDeny];
  return commandGroup('request', 'Requests that wait for an operator', commands, run);
}
