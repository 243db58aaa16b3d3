import type { Migration } from '../migration.ts';

/** Certificates that were presented for a second key after they had been renewed to a first: nobody knows which is the device's until an operator says so. */
export const lineages: Migration = {
  version: 19,
  name: 'lineages',
  statements: [
    `create table lineage_contest (
      presented text primary key not null,
      device_id text not null references device (id),
      template text not null,
      settled text,
      opened_at integer not null
    ) strict, without rowid`,
    `create index lineage_contest_device on lineage_contest (device_id, template)`,
    `create index certificate_predecessor on certificate (predecessor) where predecessor is not null`,
  ],
};
