import type { Migration } from '../migration.ts';

/** What a TPM was asked upon waits beside the activation, until the secret has proven it. Rows of an earlier version have none of it. */
export const provenMessages: Migration = {
  version: 15,
  name: 'proven-messages',
  statements: [
    `alter table activation add column mac_key_id text`,
    `alter table activation add column source text`,
    `alter table activation add column message blob`,
  ],
};
