import type { Migration } from '../migration.ts';

/** Which process serves under the name of a node, until when, and what it judges by. */
export const nodesInForce: Migration = {
  version: 7,
  name: 'nodes-in-force',
  statements: [
    `create table node (
      name text primary key not null,
      holder text not null,
      until_time integer not null,
      references_digest text not null,
      policies_digest text not null
    ) strict, without rowid`,
  ],
};
