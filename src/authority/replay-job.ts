import { randomUUID } from 'node:crypto';
import type { AdminStore } from '#admin';
import type { Clock } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';

/** What asking the whole log again has found. */
export interface Replay {
  /** Entries. */
  readonly size: number;
  readonly findings: readonly { readonly index: number | null; readonly message: string }[];
}

/** A node that takes longer to say that it is still at it is taken for dead. */
const heldMilliseconds = 15 * 60_000;
/** Findings of which the event says where they are. */
const told = 10;

export interface ReplayPorts {
  readonly store: AdminStore;
  readonly clock: Clock;
  readonly replay: () => Promise<Replay>;
  readonly record: (event: string, detail: Record<string, unknown>) => Promise<unknown>;
}

/**
 * The same again and again. What was found is thrown each time until a later run finds nothing: an alarm does not end because nothing is due. And
 * whoever can write to the database could keep the lease for ever; so a process that was told so for two intervals asks all the same.
 */
export function openReplay(ports: ReplayPorts): (intervalMilliseconds: number) => Promise<void> {
  let found: SallyportError | null = null;
  let last = ports.clock.now();
  return async (intervalMilliseconds) => {
    const overdue = ports.clock.now() - last > 2 * intervalMilliseconds;
    try {
      if (await replayIfDue(intervalMilliseconds, ports, overdue)) {
        found = null;
        last = ports.clock.now();
      }
    } catch (error) {
      if (isSallyportError(error, 'log')) {
        found = error;
        last = ports.clock.now();
      }
      throw error;
    }
    if (found !== null) throw found;
  };
}

/**
 * Once in so long a time, by one node for all: every entry of the log is judged again by the references and policies of its day, and what
 * came of it is an event of the log. Who counts on it, a SIEM for one, also sees that it did not come. False: it is not due.
 *
 * @param overdue whatever the lease says
 * @throws SallyportError 'log' where the log does not verify
 */
export async function replayIfDue(
  intervalMilliseconds: number,
  ports: ReplayPorts,
  overdue = false,
): Promise<boolean> {
  const { store, clock, replay, record } = ports;
  const started = clock.now();
  // Of this run alone: whoever comes while it holds, this node too, is not due.
  const holder = randomUUID();
  const hold = (until: number) => store.takeLease({ name: 'replay', holder, now: clock.now(), until });
  if (!(await hold(started + heldMilliseconds)) && !overdue) return false;
  const holding = setInterval(
    () => void hold(clock.now() + heldMilliseconds).catch(() => undefined),
    heldMilliseconds / 3,
  );
  try {
    const { size, findings } = await replay().catch(unreadable);
    await record('log.replayed', {
      size,
      findings: findings.length,
      // Where, and not in which words: those may name a device, and this entry is never erased.
      first: findings.slice(0, told).map(({ index }) => index),
    });
    await hold(started + intervalMilliseconds);
    if (findings.length > 0) {
      throw new SallyportError(
        'log',
        `THE LOG DOES NOT VERIFY: ${findings.length} findings in ${size} entries at ${new Date(started).toISOString()}; \`sallyport log verify\` names them. Keep the files as they are`,
      );
    }
    return true;
  } finally {
    clearInterval(holding);
  }
}

/** A log of which not even the tree can be read is a finding, and no reason to ask again later. */
function unreadable(error: unknown): Replay {
  if (!isSallyportError(error, 'log')) throw error;
  return { size: 0, findings: [{ index: null, message: error.message }] };
}
