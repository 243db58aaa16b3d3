import type { Migration } from '../migration.ts';

/** The certificates that the authority issues to its own TLS listeners: of one node's listener each, since its key is that node's. */
export const listenerCertificates: Migration = {
  version: 12,
  name: 'listener-certificates',
  statements: [
    `create table listener_certificate (
      issuer text not null,
      serial_number text not null,
      node text not null,
      listener text not null,
      spki text not null,
      not_before integer not null,
      not_after integer not null,
      revoked_at integer,
      revocation_reason integer,
      der blob not null,
      primary key (issuer, serial_number)
    ) strict, without rowid`,
  ],
};
