import type { NewEntry } from '#audit';
import { type ActEntry, newEntry } from '#enrollment';
import { newId } from './identifiers.ts';
import type { Operator } from './operator.ts';
import type { AdminPorts } from './ports.ts';

/** One instant for an act: its entry and what it stores agree on when it was done. */
export interface RecordedAct {
  readonly now: number;
  /** The store appends it in the transaction of the act's effect. */
  readonly entry: NewEntry;
}

/** @param act device.import, secret.create, … @param detail what it is done to, and how; never a secret. @param now where the detail was reckoned from it */
export function recordAct(
  ports: Pick<AdminPorts, 'clock' | 'random'>,
  operator: Operator,
  act: string,
  detail: ActEntry['detail'],
  now: number = ports.clock.now(),
): RecordedAct {
  const entry: ActEntry = {
    type: 'act',
    version: 2,
    id: newId('act', ports.random),
    time: now,
    operator: operator.name,
    act,
    detail,
    ...(operator.source === undefined ? {} : { source: operator.source }),
  };
  return { now, entry: newEntry(entry, ports.random) };
}
