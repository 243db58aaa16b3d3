import type { Migration } from '../migration.ts';

/** What evidence said under a request that waits, and under an approval of it: another that says something else is none that an operator has seen. Of rows of an earlier version nobody knows. */
export const approvedEvidence: Migration = {
  version: 22,
  name: 'approved-evidence',
  statements: [
    `alter table request add column evidence text`,
    `alter table approval add column evidence text`,
  ],
};
