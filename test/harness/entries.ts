import { leafHash } from '#audit';
import { leafOf, type RequestEntry } from '#enrollment';
import type { TestAuthority } from './authority.ts';

type Admin = TestAuthority['admin'];
type Listed = Awaited<ReturnType<Admin['entry']>>['entry'];

/** The whole log, in order, or what came after the first `from` entries. */
export async function entriesOf({ admin }: { admin: Admin }, from = 0): Promise<Listed[]> {
  const entries: Listed[] = [];
  for (let next = from, size = Infinity; next < size;) {
    const page = await admin.client.perform('listEntries', { from: next, limit: 200 });
    entries.push(...page.entries.map(({ entry }) => entry));
    ({ next, size } = page);
  }
  return entries;
}

/** The same, requests only. */
export async function requestEntriesOf(authority: { admin: Admin }, from = 0): Promise<RequestEntry[]> {
  const entries = await entriesOf(authority, from);
  return entries.filter(({ type }) => type === 'request') as unknown as RequestEntry[];
}

/** Computed again from a line of the NDJSON sink, with nothing but the line. Base64. */
export function leafHashOf({ log, entry }: { log: { readonly salt?: string }; entry: object }): string {
  const salt = log.salt === undefined ? null : Buffer.from(log.salt, 'base64');
  return Buffer.from(leafHash(leafOf(entry, salt))).toString('base64');
}

/** How many entries the log has now. */
export async function logSize({ admin }: { admin: Admin }): Promise<number> {
  return (await admin.client.perform('listEntries', { limit: 1 })).size;
}
