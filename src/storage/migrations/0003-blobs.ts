import type { Migration } from '../migration.ts';

/** Bytes that entries name by a salted hash. By entry, so that new rows come at the end and not anywhere among all hashes. */
export const blobs: Migration = {
  version: 3,
  name: 'blobs',
  statements: [
    `create table blob (
      log_idx integer not null,
      address blob not null,
      salt blob not null,
      bytes blob not null,
      primary key (log_idx, address)
    ) strict`,
  ],
};
