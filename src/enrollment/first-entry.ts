import { decodeEntry } from '#audit';
import { SallyportError } from '#errors';

/** Entry 0 of a log says which log it is. One that began when a backup was restored names the log before it: so the two are one history. */
export interface FirstEntry {
  /** C2SP verifier key. */
  readonly log: string;
  readonly previous: PreviousLog | null;
  /** Heads of logs that had ended, as they were found signed outside the database when it began: it accounts for them, and for no others. */
  readonly outside: readonly OutsideHead[];
}

export interface OutsideHead {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/** The log that a restore ended, as it was in the backup. */
export interface PreviousLog {
  readonly origin: string;
  /** C2SP verifier key. */
  readonly log: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** Signed note over these entries. */
  readonly checkpoint: string;
}

/** Throws 'log' where the log does not begin as one does. */
export function parseFirstEntry(bytes: Uint8Array | undefined): FirstEntry {
  const entry = bytes === undefined ? {} : decodeEntry(bytes);
  const { type, event } = entry;
  const detail = membersOf(entry['detail']);
  if (type !== 'authority' || typeof detail['log'] !== 'string') throw noBeginning();
  if (event === 'created') return { log: detail['log'], previous: null, outside: [] };
  if (event !== 'restored') throw noBeginning();
  const { origin, log, size, root, checkpoint } = membersOf(detail['previous']);
  const texts = [origin, log, root, checkpoint];
  if (typeof size !== 'number' || texts.some((text) => typeof text !== 'string')) throw noBeginning();
  const previous = { origin, log, size, root, checkpoint } as PreviousLog;
  return { log: detail['log'], previous, outside: headsOf(detail['outside']) };
}

function headsOf(value: unknown): readonly OutsideHead[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((head) => {
    const { origin, size, root } = membersOf(head);
    if (typeof origin !== 'string' || typeof size !== 'number' || typeof root !== 'string') return [];
    return [{ origin, size, root }];
  });
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function noBeginning(): SallyportError {
  return new SallyportError('log', "the log does not begin with the authority's creation, or with a restore");
}
