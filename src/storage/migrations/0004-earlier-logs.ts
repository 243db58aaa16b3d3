import type { Migration } from '../migration.ts';

/**
 * After a restore a new log begins. The one before it stays where it is, under its number (place.ts), and ends; what was certified after the
 * backup, of which only the log's copy elsewhere knows, stays revoked.
 */
export const earlierLogs: Migration = {
  version: 4,
  name: 'earlier-logs',
  statements: [
    `alter table log_head add column number integer not null default 0`,
    `create table earlier_log (
      number integer primary key not null,
      origin text not null unique,
      size integer not null,
      hashes blob not null,
      note text not null
    ) strict`,
    `create table lost_certificate (
      issuer text not null,
      serial_number text not null,
      sha256 text,
      device_id text not null,
      template text not null,
      revoked_at integer not null,
      revocation_reason integer not null,
      primary key (serial_number, issuer)
    ) strict, without rowid`,
  ],
};
