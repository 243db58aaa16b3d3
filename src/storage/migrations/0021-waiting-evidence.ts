import type { Migration } from '../migration.ts';

/** Evidence that got no certificate is forgotten by its age, which is asked every minute. */
export const waitingEvidence: Migration = {
  version: 21,
  name: 'waiting-evidence',
  statements: [`create index evidence_waiting on evidence (seen_at) where certificate is null`],
};
