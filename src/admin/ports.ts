import type { LogStore, NoteVerifier } from '#audit';
import type { Authority, Clock } from '#enrollment';
import type { AdminStore } from './store.ts';

/** What operators' acts need of the world. */
export interface AdminPorts {
  readonly store: AdminStore;
  readonly log: LogStore;
  /** The log's own key: a receipt is checked with it before it is given out. */
  readonly logVerifier: NoteVerifier;
  /** The same key as outsiders configure it (C2SP signed-note, "Verifier keys"). */
  readonly logVerifierKey: string;
  /** What is in force now. */
  readonly authority: () => Authority;
  readonly settings: () => AdminSettings;
  readonly clock: Clock;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
  /** Called after a revocation, so that the issuer's next CRL comes at once. Whether it did; never throws. */
  readonly revoked: (issuer: string) => Promise<boolean>;
  readonly report: Report;
  readonly running: () => Promise<RunningState>;
}

/** How the process is that answers. Times in milliseconds since the epoch. */
export interface RunningState {
  readonly version: string;
  /** Its name among the nodes of one database; null: it is the only one. */
  readonly node: string | null;
  readonly startedAt: number;
  /** `certificate`: of its TLS, in milliseconds since the epoch; null: it has none. */
  readonly listeners: readonly {
    readonly name: string;
    readonly where: string;
    readonly certificate: { readonly notBefore: number; readonly notAfter: number } | null;
  }[];
  readonly database: {
    readonly kind: 'sqlite' | 'postgresql';
    readonly operations: number;
    readonly batches: number;
    readonly commits: number;
    readonly failures: number;
  };
  readonly jobs: readonly {
    readonly name: string;
    readonly succeededAt: number | null;
    readonly fault: string | null;
  }[];
  /** Entries that each receiver of the log has not acknowledged. */
  readonly sinks: readonly { readonly name: string; readonly behind: number }[];
  /** The others that live and share the database, and in what they judge otherwise. */
  readonly nodes: readonly { readonly name: string; readonly differs: readonly string[] }[];
  readonly residentBytes: number;
}

/** Takes faults of ours, under the id that the operator is shown. */
export type Report = (fault: { id: string; error: unknown }) => void;

/** Of the configuration; a reload may change them. */
export interface AdminSettings {
  readonly secretLifetimeSeconds: { readonly default: number; readonly maximum: number };
  /** How long an approval waits for the device to come and use it. */
  readonly approvalLifetimeSeconds: number;
}
