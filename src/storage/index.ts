export { openSqlite } from './sqlite/open-sqlite.ts';
export { openSqliteReadOnly } from './sqlite/open-sqlite-read-only.ts';
export { copyFromSqlite } from './postgres/copy-from-sqlite.ts';
export { openPostgres } from './postgres/open-postgres.ts';
export { openPostgresReadOnly } from './postgres/open-postgres-read-only.ts';
export type { PostgresSettings } from './postgres/postgres-settings.ts';
export type { ReadOnlyStorage } from './read-only.ts';
export type { Storage, StorageStats } from './storage.ts';
