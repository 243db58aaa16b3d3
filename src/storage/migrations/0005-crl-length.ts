import type { Migration } from '../migration.ts';

/** How many serial numbers the newest CRL lists: a long one is not read to count them. */
export const crlLength: Migration = {
  version: 5,
  name: 'crl-length',
  statements: [`alter table crl add column listed integer`],
};
