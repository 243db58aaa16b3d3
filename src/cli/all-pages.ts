import type { Page } from '#admin';

const pageSize = 500;

/** A list whole, or its first `limit` items: scripts are never given a part in silence. */
export async function allPages<Item>(
  limit: number | undefined,
  ask: (page: { limit: number; after?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const wanted = limit ?? Infinity;
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const page = { limit: Math.min(pageSize, wanted - items.length) };
    const answer: Page<Item> = await ask(after === null ? page : { ...page, after });
    items.push(...answer.items);
    after = answer.next;
  } while (after !== null && items.length < wanted);
  return items;
}
