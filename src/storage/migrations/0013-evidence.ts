import type { Migration } from '../migration.ts';

/** Evidence that requests came with, each of which counts for one of them, and what was given out for it to hold. */
export const evidence: Migration = {
  version: 13,
  name: 'evidence',
  statements: [
    `create table evidence (
      sha256 text primary key not null,
      device_id text not null references device (id),
      template text not null,
      spki text not null,
      fresh integer not null,
      certificate text,
      seen_at integer not null
    ) strict, without rowid`,
    `create index evidence_device on evidence (device_id)`,
    `create table evidence_nonce (
      holder text primary key not null,
      nonce blob not null,
      expires_at integer not null
    ) strict, without rowid`,
    `create index evidence_nonce_expires on evidence_nonce (expires_at)`,
    `alter table acme_authorization add column evidence text`,
  ],
};
