import type { Migration } from '../migration.ts';

/**
 * What a TPM was asked upon waits beside the activation, until the secret has proven it. Rows of an earlier version have none of it.
 *
 * Devices that were imported with an endorsement key before version 14 are known by it, where it is of one device and written as it is now. What several have is
 * disputed: none of them is known by it until it is imported again. Numbers of rows in a group are counted once: some inventories are large.
 */
export const provenMessages: Migration = {
  version: 20,
  name: 'proven-messages',
  statements: [
    `alter table activation add column mac_key_id text`,
    `alter table activation add column source text`,
    `alter table activation add column message blob`,
    `alter table device add column ek_disputed text`,
    `create index device_ek_disputed on device (ek_disputed)`,
  ],
  onSqlite: fillEndorsementKeys(
    `identifiers ->> '$.ekSha256'`,
    (key) => `length(${key}) = 64 and ${key} not glob '*[^0-9a-f]*'`,
  ),
  onPostgres: fillEndorsementKeys(`(identifiers::json ->> 'ekSha256')`, (key) => `${key} ~ '^[0-9a-f]{64}$'`),
};

function fillEndorsementKeys(key: string, isDigest: (key: string) => string): readonly string[] {
  return [
    `update device set ek_sha256 = ${key} where ek_sha256 is null and ${isDigest(key)} and ${key} in
      (select ${key} from device where ${isDigest(key)} group by ${key} having count(*) = 1)`,
    `update device set ek_disputed = ${key} where ek_sha256 is null and ${isDigest(key)}`,
  ];
}
