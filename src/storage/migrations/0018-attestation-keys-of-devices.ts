import type { Migration } from '../migration.ts';

/** By which keys that attest devices got their certificates: on how many devices one key is. */
export const attestationKeysOfDevices: Migration = {
  version: 18,
  name: 'attestation-keys-of-devices',
  statements: [
    `create table attestation_key_device (
      spki text not null,
      device_id text not null references device (id),
      format text not null,
      certificate text not null,
      primary key (spki, device_id)
    ) strict, without rowid`,
    `create index attestation_key_device_device on attestation_key_device (device_id)`,
  ],
};
