import type { Migration } from '../migration.ts';

/** Several nodes over one database: what one of them does for all. */
export const nodes: Migration = {
  version: 2,
  name: 'nodes',
  statements: [
    `create table lease (name text primary key not null, holder text not null, until_time integer not null) strict, without rowid`,
  ],
};
