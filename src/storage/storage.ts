import type { AcmeStore } from '#acme';
import type { AdminStore } from '#admin';
import type { LogStore } from '#audit';
import type { EnrollmentStore } from '#enrollment';
import type { SallyportError } from '#errors';

/** An open database, by the ports through which it is used. */
export interface Storage {
  readonly enrollment: EnrollmentStore;
  readonly acme: AcmeStore;
  readonly admin: AdminStore;
  readonly log: LogStore;
  /** Resolves when the database can no longer be used: every call rejects from then on, and the process should end. */
  readonly failed: Promise<SallyportError>;
  /** The clock that all nodes share, its time in milliseconds since the epoch; null where this process has the database for itself. */
  readonly clock: SharedClock | null;
  stats(): Promise<StorageStats>;
  /** Completes what was asked before, syncs it and closes the database. */
  close(): Promise<void>;
}

export interface SharedClock {
  now(): number;
  /** Milliseconds of a count that is never set, with what this machine slept. */
  count(): number;
}

/** Counted since the database was opened. */
export interface StorageStats {
  readonly operations: number;
  readonly batches: number;
  /** Synced transactions: many operations share one. */
  readonly commits: number;
  /** Transactions that were undone as a whole. */
  readonly failures: number;
}
