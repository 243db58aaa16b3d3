import type { RequestEntry } from '#enrollment';
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

/** How many entries the log has now. */
export async function logSize({ admin }: { admin: Admin }): Promise<number> {
  return (await admin.client.perform('listEntries', { limit: 1 })).size;
}
