import type { Migration } from '../migration.ts';

/**
 * Which challenge held when a request came that is polled for: what it was is kept nowhere else, and a poll cannot show it again. And whether nobody has had a
 * certificate, which waits for a workflow's word: 1, or null for all others.
 */
export const workflows: Migration = {
  version: 10,
  name: 'workflows',
  statements: [
    `alter table polled_request add column challenge text check (challenge in ('static', 'workflow'))`,
    `alter table certificate add column undelivered integer`,
  ],
};
