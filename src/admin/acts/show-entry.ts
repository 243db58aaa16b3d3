import * as z from 'zod';
import { decodeEntry, leafHash, type JsonValue } from '#audit';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import type { AdminPorts } from '../ports.ts';

export interface EntryView {
  readonly index: number;
  readonly entry: { readonly [name: string]: JsonValue };
}

export const showEntry = act(z.strictObject({ id: identifier }), async (ports, _operator, { id }) => {
  const { index, bytes } = await knownEntry(ports, id);
  return { ...entryView({ index, bytes }), leafHash: Buffer.from(leafHash(bytes)).toString('hex') };
});

export function entryView({ index, bytes }: { index: number; bytes: Uint8Array }): EntryView {
  return { index, entry: decodeEntry(bytes) };
}

/** By its index in the log, or by the support code that a client was shown, or by an act's id. */
export async function knownEntry({ log }: AdminPorts, id: string) {
  const isIndex = /^(?:0|[1-9]\d{0,15})$/.test(id);
  // People type support codes as they hear them.
  const index = isIndex ? Number(id) : ((await log.find(id)) ?? (await log.find(id.toUpperCase())));
  const { size } = await log.head();
  const [found] = index === null || index >= size ? [] : await log.entries(index, index + 1);
  if (found === undefined) {
    throw new SallyportError(
      'not-found',
      `the log has no entry ${id}; it has the indexes 0 to ${size - 1}, and support codes such as R-XXXX-XXXX-XXXX-XXXX`,
    );
  }
  return found;
}
