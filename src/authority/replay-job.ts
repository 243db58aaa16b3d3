import { randomUUID } from 'node:crypto';
import type { AdminStore } from '#admin';
import type { Clock } from '#enrollment';
import { SallyportError } from '#errors';

/** What asking the whole log again has found. */
export interface Replay {
  /** Entries. */
  readonly size: number;
  readonly findings: readonly { readonly index: number | null; readonly message: string }[];
}

/** A node that takes longer to say that it is still at it is taken for dead. */
const heldMilliseconds = 15 * 60_000;
const told = 10;

/**
 * Once in so long a time, by one node for all: every entry of the log is judged again by the references and policies of its day, and what
 * came of it is an event of the log. Who counts on it, a SIEM for one, also sees that it did not come.
 *
 * @throws SallyportError 'store' where the log does not verify
 */
export async function replayIfDue(
  intervalMilliseconds: number,
  ports: {
    readonly store: AdminStore;
    readonly clock: Clock;
    readonly replay: () => Promise<Replay>;
    readonly record: (event: string, detail: Record<string, unknown>) => Promise<unknown>;
  },
): Promise<void> {
  const { store, clock, replay, record } = ports;
  const started = clock.now();
  // Of this run alone: whoever comes while it holds, this node too, is not due.
  const holder = randomUUID();
  const hold = (until: number) => store.takeLease({ name: 'replay', holder, now: clock.now(), until });
  if (!(await hold(started + heldMilliseconds))) return;
  const holding = setInterval(
    () => void hold(clock.now() + heldMilliseconds).catch(() => undefined),
    heldMilliseconds / 3,
  );
  try {
    const { size, findings } = await replay();
    await record('log.replayed', {
      size,
      findings: findings.length,
      first: findings.slice(0, told).map(({ index, message }) => ({ index, message: message.slice(0, 500) })),
    });
    await hold(started + intervalMilliseconds);
    if (findings.length > 0) {
      throw new SallyportError(
        'store',
        `THE LOG DOES NOT VERIFY: ${findings.length} findings in ${size} entries at ${new Date(started).toISOString()}; \`sallyport log verify\` names them. Keep the files as they are`,
      );
    }
  } finally {
    clearInterval(holding);
  }
}
