import type { ErrorCode } from '#errors';
import type { Action, Facts, Verdict } from '#policy';
import type { KeptRequest } from './kept-request.ts';
import type { Observations } from './observations.ts';

/**
 * 2: what is personal is in a document beside the log, and can be erased (personal-fields.ts); read, the entry has it again. 1: it is in the leaf,
 * for ever.
 */
type Version = 1 | 2;

/** One leaf for every request that reached a protocol, refusals included. */
export interface RequestEntry {
  readonly type: 'request';
  readonly version: Version;
  /** The request's id: the support code that a client is shown. */
  readonly id: string;
  /** Milliseconds since the epoch; the time with which facts were derived. */
  readonly time: number;
  readonly action: Action;
  readonly observations: Observations;
  /** Digests of the references and of the policy bundle in force; both bodies are in the store. */
  readonly references: string;
  readonly policies: string;
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  /** Of an ACME message that asks for no certificate: what it was about. Absent: nothing was. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Where the request ended by an error and not by the verdict. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** The certification request itself, kept beside the log; null where none was read. No fact is derived of it. */
  readonly certificationRequest: KeptRequest | null;
  /** Evidence that came without a certification request, kept beside the log under this address. Absent: none did. */
  readonly evidence?: { readonly blob: string };
  readonly certificate: {
    readonly issuer: string;
    readonly serialNumber: string;
    readonly sha256: string;
    readonly template: string;
    readonly deviceId: string;
    readonly predecessor: string | null;
  } | null;
}

export type Outcome =
  /** A certificate was issued. */
  | 'issued'
  /** The same request again: the same certificate was delivered. */
  | 'redelivered'
  /** Issued, as an entry before it says, and kept back: a workflow could not be asked, or refused what may have been delivered before. */
  | 'withheld'
  /** Issued, as an entry before it says, and revoked before it left: a workflow refused. */
  | 'withdrawn'
  /** An ACME message revoked a certificate, which `detail` names. */
  | 'revoked'
  | 'held'
  | 'refused'
  /** An operation without a certificate, such as cacerts. */
  | 'answered'
  /** No verdict stood against it, and the rules of its protocol did: the error says which. */
  | 'rejected'
  /** Bytes that do not parse. */
  | 'malformed'
  /** Allowed, and then a fault of ours: nothing was delivered. */
  | 'failed';

/** Where a machine called from, as the listener knows it; nothing that the machine says of itself. */
export interface CallSource {
  readonly listener: string;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
}

/** An act of an operator, or of a machine, in the same transaction as what it did. */
export interface ActEntry {
  readonly type: 'act';
  readonly version: Version;
  readonly id: string;
  readonly time: number;
  /** Of a machine `machine:` and its name, which is no operator's. */
  readonly operator: string;
  /** device.import, device.approve, device.suspend, secret.create, request.approve, certificate.revoke, … */
  readonly act: string;
  /** What it was done to, and how; never a secret. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** Of a machine. An operator's act comes by the local socket, and has none. */
  readonly source?: CallSource;
}

/** A machine's call that changed nothing: it was answered with what there is, or refused. One that changed something is an act. */
export interface CallEntry {
  readonly type: 'call';
  readonly version: 2;
  readonly id: string;
  readonly time: number;
  readonly source: CallSource;
  /** Whose the credentials are, where they are somebody's: good or not. */
  readonly machine: string | null;
  /** secret.create, secret.list, …; null: it asked for nothing that there is. */
  readonly act: string | null;
  /** `failed`: by a fault of ours. */
  readonly outcome: 'done' | 'refused' | 'failed';
  /** Why it was refused: the check that objected. */
  readonly reason: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What the authority did by itself: created, started, reloaded, CRL issued, intent swept. */
export interface AuthorityEntry {
  readonly type: 'authority';
  readonly version: Version;
  readonly id: string;
  readonly time: number;
  readonly event: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type Entry = RequestEntry | ActEntry | CallEntry | AuthorityEntry;
