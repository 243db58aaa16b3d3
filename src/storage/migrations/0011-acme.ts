import type { Migration } from '../migration.ts';

/**
 * ACME: what owners were given (external account keys, sealed), their accounts, and what those order and prove. An order's state is not stored: it follows
 * from what is. A nonce stands here once it was used, and until it would be refused for its age.
 */
export const acme: Migration = {
  version: 11,
  name: 'acme',
  statements: [
    `create table external_account_key (
      id text primary key not null,
      device_id text not null references device (id) on delete cascade,
      sealed blob not null,
      sealing_key text not null,
      templates text not null,
      names text,
      maximum_certificates integer,
      approved_by text,
      state text not null check (state in ('live', 'spent', 'void')),
      created_at integer not null,
      expires_at integer not null,
      created_by text not null
    ) strict, without rowid`,
    `create index external_account_key_device on external_account_key (device_id, created_at, id)`,
    `create index external_account_key_created on external_account_key (created_at, id)`,
    `create index external_account_key_of_machine on external_account_key (created_by, created_at, id)
      where created_by >= 'machine:' and created_by < 'machine;'`,
    `create table acme_account (
      id text primary key not null,
      external_account_key text not null unique references external_account_key (id) on delete cascade,
      thumbprint text not null unique,
      jwk text not null,
      spki text not null,
      contact text not null,
      status text not null check (status in ('valid', 'deactivated', 'revoked')),
      created_at integer not null
    ) strict, without rowid`,
    `create index acme_account_spki on acme_account (spki)`,
    `create index acme_account_created on acme_account (created_at, id)`,
    `create table acme_order (
      id text primary key not null,
      account text not null references acme_account (id) on delete cascade,
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
    ) strict, without rowid`,
    `create index acme_order_account on acme_order (account, created_at, id)`,
    `create index acme_order_names on acme_order (account, names) where certificate is not null`,
    `create index acme_order_open on acme_order (account, expires_at) where certificate is null`,
    `create unique index acme_order_certificate on acme_order (certificate) where certificate is not null`,
    `create unique index acme_order_replaces on acme_order (replaces) where replaces is not null and error is null`,
    `create index acme_order_expires on acme_order (expires_at)`,
    `create table acme_authorization (
      id text primary key not null,
      account text not null references acme_account (id) on delete cascade,
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
      expires_at integer not null
    ) strict, without rowid`,
    `create index acme_authorization_valid on acme_authorization (account, value, template, expires_at) where status = 'valid'`,
    `create index acme_authorization_due on acme_authorization (due_at) where due_at is not null`,
    `create index acme_authorization_expires on acme_authorization (expires_at)`,
    `create table acme_order_authorization (
      order_id text not null references acme_order (id) on delete cascade,
      position integer not null,
      authorization_id text not null,
      primary key (order_id, position)
    ) strict, without rowid`,
    `create index acme_order_authorization_of on acme_order_authorization (authorization_id)`,
    `create table acme_nonce (
      nonce blob primary key not null,
      expires_at integer not null
    ) strict, without rowid`,
    `create index acme_nonce_expires on acme_nonce (expires_at)`,
  ],
};
