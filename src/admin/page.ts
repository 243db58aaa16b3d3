export interface Page<Item> {
  readonly items: readonly Item[];
  /** What to ask for next; null: that was all. */
  readonly next: string | null;
}

export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
  cursor: (row: Row) => string,
): Page<Item> {
  const last = rows.at(-1);
  return { items: rows.map(view), next: last === undefined || rows.length < limit ? null : cursor(last) };
}

/** undefined has no place in a filter under exactOptionalPropertyTypes. */
export function definedOnly<T extends object>(filter: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
