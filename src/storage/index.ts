export { openSqlite } from './sqlite/open-sqlite.ts';
export { openSqliteReadOnly, type ReadOnlyStorage } from './sqlite/open-sqlite-read-only.ts';
export type { Storage, StorageStats } from './storage.ts';
