import type { Migration } from '../migration.ts';

const account = (name: string) => `create table ${name} (
  id text primary key not null,
  external_account_key text unique references external_account_key (id) on delete cascade,
  device_id text references device (id) on delete cascade,
  thumbprint text not null unique,
  jwk text not null,
  spki text not null,
  contact text not null,
  status text not null check (status in ('valid', 'deactivated', 'revoked')),
  created_at integer not null
) strict, without rowid`;

const order = (name: string, accounts: string) => `create table ${name} (
  id text primary key not null,
  account text not null references ${accounts} (id) on delete cascade,
  template text not null,
  identifiers text not null,
  names text not null,
  not_before integer,
  not_after integer,
  replaces text,
  created_at integer not null,
  expires_at integer not null,
  intent text,
  finalized_at integer,
  spki text,
  log_idx integer,
  address blob,
  error text,
  certificate text
) strict, without rowid`;

const authorization = (name: string, accounts: string) => `create table ${name} (
  id text primary key not null,
  account text not null references ${accounts} (id) on delete cascade,
  template text not null,
  type text not null,
  value text not null,
  wildcard integer not null,
  token text not null,
  status text not null check (status in ('pending', 'valid', 'invalid', 'deactivated')),
  method text,
  request text,
  due_at integer,
  tries integer not null,
  error text,
  validated_at integer,
  expires_at integer not null,
  evidence text
) strict, without rowid`;

const ofOrder = (name: string, orders: string) => `create table ${name} (
  order_id text not null references ${orders} (id) on delete cascade,
  position integer not null,
  authorization_id text not null,
  primary key (order_id, position)
) strict, without rowid`;

/**
 * Accounts without an external account key: whose they are, evidence says. SQLite cannot take a `not null` away, so that the tables are made anew, with those
 * that refer to them: dropping one would delete what is in the others.
 */
export const accountsByEvidence: Migration = {
  version: 16,
  name: 'accounts-by-evidence',
  statements: [
    account('acme_account_new'),
    `insert into acme_account_new
      select a.id, a.external_account_key, k.device_id, a.thumbprint, a.jwk, a.spki, a.contact, a.status, a.created_at
      from acme_account a join external_account_key k on k.id = a.external_account_key`,
    order('acme_order_new', 'acme_account_new'),
    `insert into acme_order_new
      select id, account, template, identifiers, names, not_before, not_after, replaces, created_at, expires_at, intent,
        finalized_at, spki, log_idx, address, error, certificate
      from acme_order`,
    authorization('acme_authorization_new', 'acme_account_new'),
    `insert into acme_authorization_new
      select id, account, template, type, value, wildcard, token, status, method, request, due_at, tries, error,
        validated_at, expires_at, evidence
      from acme_authorization`,
    ofOrder('acme_order_authorization_new', 'acme_order_new'),
    `insert into acme_order_authorization_new select order_id, position, authorization_id from acme_order_authorization`,
    `drop table acme_order_authorization`,
    `drop table acme_order`,
    `drop table acme_authorization`,
    `drop table acme_account`,
    `alter table acme_account_new rename to acme_account`,
    `alter table acme_order_new rename to acme_order`,
    `alter table acme_authorization_new rename to acme_authorization`,
    `alter table acme_order_authorization_new rename to acme_order_authorization`,
    `create index acme_account_spki on acme_account (spki)`,
    `create index acme_account_created on acme_account (created_at, id)`,
    `create index acme_account_device on acme_account (device_id, created_at, id)`,
    `create index acme_account_of_nobody on acme_account (created_at) where device_id is null`,
    `create index acme_order_account on acme_order (account, created_at, id)`,
    `create index acme_order_names on acme_order (account, names) where certificate is not null`,
    `create index acme_order_open on acme_order (account, expires_at) where certificate is null`,
    `create unique index acme_order_certificate on acme_order (certificate) where certificate is not null`,
    `create unique index acme_order_replaces on acme_order (replaces) where replaces is not null and error is null`,
    `create index acme_order_expires on acme_order (expires_at)`,
    `create index acme_authorization_valid on acme_authorization (account, value, template, expires_at) where status = 'valid'`,
    `create index acme_authorization_due on acme_authorization (due_at) where due_at is not null`,
    `create index acme_authorization_expires on acme_authorization (expires_at)`,
    `create index acme_order_authorization_of on acme_order_authorization (authorization_id)`,
  ],
};
