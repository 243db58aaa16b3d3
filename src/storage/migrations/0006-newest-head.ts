import type { Migration } from '../migration.ts';

/**
 * PostgreSQL writes a row anew for each change, and keeps what it was for as long as somebody reads in an older snapshot, a backup of hours for one.
 * Who looks for the head by a key that never changes walks past all of those, once for each entry. By its size the newest comes first. That the row
 * is the only one is no index's business then: it is made where the tables are empty, and never again.
 */
export const newestHead: Migration = {
  version: 6,
  name: 'newest-head',
  statements: [],
  onPostgres: [
    'alter table log_head drop constraint log_head_pkey',
    'create index log_head_size on log_head (size)',
  ],
};
