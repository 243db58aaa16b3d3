import * as z from 'zod';
import { type EarlierLog, leafHash, type JsonValue, type LogReader } from '#audit';
import { type ReadEntry, readEntry } from '#enrollment';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import type { AdminPorts } from '../ports.ts';

export interface EntryView {
  readonly index: number;
  /** As it was recorded. One that still has `sealed` is without its personal fields: their document is not there any more. */
  readonly entry: { readonly [name: string]: JsonValue };
}

export const showEntry = act(z.strictObject({ id: identifier }), async (ports, _operator, { id }) => {
  const { index, bytes, earlier } = await knownEntry(ports, id);
  const blobs = await (earlier ?? ports.log).blobs(index, index + 1);
  return {
    ...entryView({ index, ...readEntry(bytes, blobs) }),
    leafHash: Buffer.from(leafHash(bytes)).toString('hex'),
    /** Origin of the log that has it, where that ended when a backup of it was restored. */
    earlierLog: earlier?.origin ?? null,
  };
});

export function entryView({ index, entry }: ReadEntry & { index: number }): EntryView {
  return { index, entry };
}

/**
 * By its index in the log, or by the support code that a client was shown, or by an act's id: those are looked for in the logs that ended
 * as well.
 */
export async function knownEntry({ log }: AdminPorts, id: string) {
  const { size } = await log.head();
  const isIndex = /^(?:0|[1-9]\d{0,15})$/.test(id);
  const found = isIndex
    ? Number(id) < size
      ? await entryAt(log, Number(id))
      : null
    : await entryOfId(log, id);
  if (found === null) {
    throw new SallyportError(
      'not-found',
      `the log has no entry ${id}; it has the indexes 0 to ${size - 1}, and support codes such as R-XXXX-XXXX-XXXX-XXXX`,
    );
  }
  return found;
}

type Found = Awaited<ReturnType<AdminPorts['log']['entries']>>[number] & {
  readonly earlier: EarlierLog | null;
};

async function entryOfId(log: AdminPorts['log'], id: string): Promise<Found | null> {
  // The log that is written first, then from the newest to the oldest.
  for (const earlier of [null, ...(await log.earlier()).toReversed()]) {
    const reader = earlier ?? log;
    // People type support codes as they hear them.
    const index = (await reader.find(id)) ?? (await reader.find(id.toUpperCase()));
    if (index !== null) return entryAt(reader, index, earlier);
  }
  return null;
}

async function entryAt(
  reader: LogReader,
  index: number,
  earlier: EarlierLog | null = null,
): Promise<Found | null> {
  const [entry] = await reader.entries(index, index + 1);
  return entry === undefined ? null : { ...entry, earlier };
}
