/**
 * Of one moment, to the end of a backup or a verification. What is done with each answer takes a moment; a machine that is gone must not keep a
 * snapshot, and the locks of an upgrade's way, for ever.
 */
export const beginLongReading = [
  'begin isolation level repeatable read read only',
  "set local idle_in_transaction_session_timeout = '10min'",
  "set local statement_timeout = '15s'",
].join('; ');
