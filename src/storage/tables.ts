import type { Schema } from './schema.ts';

/**
 * What an authority is made of, whichever database holds it: the tables that are copied from one to another, in an order in which what is
 * referred to comes first. Leases and nodes are of one moment, and are left.
 */
export const copiedTables = Object.keys({
  device: true,
  secret: true,
  approval: true,
  request: true,
  polled_request: true,
  intent: true,
  abandoned_intent: true,
  certificate: true,
  lost_certificate: true,
  crl: true,
  ra_certificate: true,
  listener_certificate: true,
  rate_limit: true,
  operator: true,
  machine: true,
  machine_token: true,
  machine_certificate: true,
  external_account_key: true,
  acme_account: true,
  acme_order: true,
  acme_authorization: true,
  acme_order_authorization: true,
  acme_nonce: true,
  evidence: true,
  evidence_nonce: true,
  evidence_version: true,
  activation: true,
  references_body: true,
  policies_text: true,
  log_entry: true,
  log_hash: true,
  blob: true,
  log_head: true,
  earlier_log: true,
  log_note: true,
  sink: true,
} satisfies Record<Exclude<keyof Schema, 'lease' | 'node' | 'migration'>, true>);
