import type { Migration } from '../migration.ts';

/**
 * Machines that ask the administrative API for secrets, and what they prove themselves with; a token is its hash alone. A machine's name stays taken for ever:
 * what it made is its own by that name. A secret may be for no device yet, as one that the page of NDES shows: whoever brings it says for which. Both databases
 * take the requirement away without a look at the rows, and the indexes hold what machines made and nothing else.
 */
export const machines: Migration = {
  version: 9,
  name: 'machines',
  statements: [
    `create table machine (
      name text primary key not null,
      scopes text not null,
      templates text not null,
      sources text,
      created_at integer not null,
      created_by text not null,
      revoked_at integer
    ) strict, without rowid`,
    `create table machine_token (
      hash blob primary key not null,
      machine text not null references machine (name),
      created_at integer not null,
      expires_at integer not null
    ) strict, without rowid`,
    `create index machine_token_machine on machine_token (machine, created_at)`,
    `create table machine_certificate (
      sha256 text primary key not null,
      machine text not null references machine (name),
      pinned_at integer not null,
      unpinned_at integer
    ) strict, without rowid`,
    `create index machine_certificate_machine on machine_certificate (machine)`,
    `alter table secret alter column device_id drop not null`,
    `create index secret_of_machine on secret (created_by, created_at, id)
      where created_by >= 'machine:' and created_by < 'machine;'`,
    `create index secret_unbound on secret (created_by, template, expires_at)
      where device_id is null and state = 'live'`,
  ],
};
