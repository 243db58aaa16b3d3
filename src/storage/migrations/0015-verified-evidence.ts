import type { Migration } from '../migration.ts';

/** What a verifier outside said of evidence, for the same request again: who reads it elsewhere may read it once. */
export const verifiedEvidence: Migration = {
  version: 15,
  name: 'verified-evidence',
  statements: [`alter table evidence add column examination text`],
};
