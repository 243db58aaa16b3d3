import type { Migration } from '../migration.ts';

/** By which endorsement key a device is known, and attestation keys that a TPM is asked to prove. */
export const attestationKeys: Migration = {
  version: 14,
  name: 'attestation-keys',
  statements: [
    `alter table device add column ek_sha256 text`,
    `create unique index device_ek_sha256 on device (ek_sha256)`,
    `create table activation (
      mac blob primary key not null,
      device_id text not null references device (id),
      template text not null,
      spki blob not null,
      examination text not null,
      expires_at integer not null
    ) strict, without rowid`,
    `create index activation_device on activation (device_id)`,
    `create index activation_expires on activation (expires_at)`,
  ],
};
