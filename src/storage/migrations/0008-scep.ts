import type { Migration } from '../migration.ts';

/**
 * The certificates of RAs, which all nodes open requests and sign answers with, under one key: for those before the newest messages are under way still. And
 * whose poll is for which request: a CertPoll says no more than its transactionID, and is signed.
 */
export const scep: Migration = {
  version: 8,
  name: 'scep',
  statements: [
    `create table ra_certificate (
      issuer text not null,
      serial_number text not null,
      spki text not null,
      not_before integer not null,
      not_after integer not null,
      revoked_at integer,
      revocation_reason integer,
      der blob not null,
      primary key (issuer, serial_number)
    ) strict, without rowid`,
    `create table polled_request (
      signer text not null,
      transaction_digest text not null,
      template text not null,
      device_id text not null references device (id) on delete cascade,
      log_idx integer not null,
      address blob not null,
      secret_id text,
      seen_at integer not null,
      primary key (signer, transaction_digest, template)
    ) strict, without rowid`,
    `create index polled_request_device on polled_request (device_id)`,
  ],
};
