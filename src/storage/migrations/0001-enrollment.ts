import type { Migration } from '../migration.ts';

/** Devices, what they may ask with, what they got, and the log. */
export const enrollment: Migration = {
  version: 1,
  name: 'enrollment',
  statements: [
    `create table device (
      id text primary key not null,
      serial_number text,
      device_class text not null,
      owner text,
      state text not null,
      identifiers text not null,
      created_at integer not null,
      updated_at integer not null
    ) strict, without rowid`,
    `create unique index device_serial_number on device (serial_number)
      where serial_number is not null and serial_number <> ''`,

    `create table secret (
      id text primary key not null,
      mac blob not null unique,
      mac_key_id text not null,
      device_id text not null references device (id),
      template text not null,
      expected text,
      state text not null check (state in ('live', 'reserved', 'spent', 'void')),
      spki text,
      names text,
      certificate text,
      created_at integer not null,
      expires_at integer not null,
      created_by text not null
    ) strict, without rowid`,
    `create index secret_device on secret (device_id)`,
    `create index secret_created on secret (created_at, id)`,

    `create table approval (
      id text primary key not null,
      device_id text not null references device (id),
      template text not null,
      spki text,
      names text,
      lifts text not null,
      state text not null check (state in ('open', 'taken', 'used', 'void')),
      intent_id text,
      created_by text not null,
      created_at integer not null,
      expires_at integer not null
    ) strict, without rowid`,
    `create index approval_device on approval (device_id, template)`,

    `create table request (
      id text primary key not null,
      device_id text not null references device (id),
      template text not null,
      spki text not null,
      names text not null,
      state text not null check (state in ('pending', 'approved', 'denied', 'issued')),
      objections text not null,
      summary text not null,
      first_seen integer not null,
      last_seen integer not null,
      decided_by text,
      decided_at integer
    ) strict, without rowid`,
    `create unique index request_pending on request (device_id, template, spki) where state = 'pending'`,
    `create index request_spki on request (spki, device_id)`,
    `create index request_seen on request (first_seen, id)`,

    `create table intent (
      id text primary key not null,
      issuer text not null,
      serial_number text not null,
      tbs_sha256 text not null,
      device_id text not null references device (id),
      template text not null,
      spki text not null,
      request_spki text not null,
      names text not null,
      secret_id text unique,
      approval_id text,
      created_at integer not null,
      lease_until integer not null,
      unique (serial_number, issuer)
    ) strict, without rowid`,

    `create table abandoned_intent (
      id text primary key not null,
      issuer text not null,
      serial_number text not null,
      tbs_sha256 text not null,
      device_id text not null references device (id),
      template text not null,
      spki text not null,
      abandoned_at integer not null,
      unique (serial_number, issuer)
    ) strict, without rowid`,

    `create table certificate (
      log_idx integer primary key not null,
      sha256 text not null unique,
      issuer text not null,
      serial_number text not null,
      device_id text not null references device (id),
      template text not null,
      spki text not null,
      names text not null,
      not_before integer not null,
      not_after integer not null,
      predecessor text,
      revoked_at integer,
      revocation_reason integer,
      der blob not null,
      unique (serial_number, issuer)
    ) strict`,
    `create index certificate_spki on certificate (spki, device_id)`,
    `create index certificate_device on certificate (device_id)`,
    `create index certificate_current on certificate (device_id, template, not_after, spki) where revoked_at is null`,
    `create index certificate_revoked on certificate (issuer, not_after) where revoked_at is not null`,

    `create table crl (
      issuer text primary key not null,
      number text not null,
      der blob not null,
      this_update integer not null,
      next_update integer not null
    ) strict`,

    `create table rate_limit (key text primary key not null, tat real not null) strict, without rowid`,

    `create table operator (
      name text primary key not null,
      token_hash blob not null unique,
      created_at integer not null
    ) strict`,

    `create table references_body (digest text primary key not null, body blob not null) strict`,
    `create table policies_text (digest text primary key not null, text text not null) strict`,

    `create table log_entry (
      idx integer primary key not null,
      id text not null,
      leaf_hash blob not null,
      bytes blob not null
    ) strict`,
    `create index log_entry_id on log_entry (id)`,
    `create table log_hash (
      level integer not null,
      idx integer not null,
      hash blob not null,
      primary key (level, idx)
    ) strict, without rowid`,
    `create table log_head (
      id integer primary key not null check (id = 1),
      origin text not null,
      size integer not null,
      hashes blob not null
    ) strict`,
    `create table log_note (
      id integer primary key not null check (id = 1),
      size integer not null,
      note text not null
    ) strict`,
    `create table sink (name text primary key not null, next_idx integer not null) strict`,
  ],
};
