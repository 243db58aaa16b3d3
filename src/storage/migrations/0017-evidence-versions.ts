import type { Migration } from '../migration.ts';

/** What evidence said of a device's software and firmware when a certificate was last issued on it: it must not go back. */
export const evidenceVersions: Migration = {
  version: 17,
  name: 'evidence-versions',
  statements: [
    `create table evidence_version (
      device_id text not null references device (id),
      format text not null,
      versions text not null,
      certificate text not null,
      primary key (device_id, format)
    ) strict, without rowid`,
  ],
};
