import * as z from 'zod';
import { readEntries } from '#enrollment';
import { act } from '../act.ts';
import { entryCount, logIndex } from '../input.ts';
import { entryView } from './show-entry.ts';

const input = z.strictObject({
  /** Index of the first entry wanted; left out: the newest ones. */
  from: logIndex.optional(),
  limit: entryCount.default(20),
});

/** Following the log is asking again from `next`. */
export const listEntries = act(input, async ({ log }, _operator, { from, limit }) => {
  const { size } = await log.head();
  const first = Math.min(from ?? Math.max(0, size - limit), size);
  const end = Math.min(first + limit, size);
  const entries = first === end ? [] : await readEntries(log, first, end);
  return { size, entries: entries.map(entryView), next: end };
});
