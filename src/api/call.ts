import type { AdminPorts, Machine } from '#admin';
import type { CallSource, EnrollmentStore } from '#enrollment';
import type { RateLimit } from '#limits';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface ApiPorts {
  /** What the acts behind the API need: the same as operators' acts. */
  readonly admin: AdminPorts;
  readonly store: Pick<EnrollmentStore, 'admit' | 'record'>;
  /** What is in force of the listener. */
  readonly listener: () => ApiListenerInForce;
  /** Calls of one source; counted apart from its enrollments. */
  readonly sourceLimit: () => RateLimit;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<Buffer>;
}

export interface ApiListenerInForce {
  /** Ranges of addresses that machines come from. */
  readonly sources: readonly string[];
  /** null: these are not there. */
  readonly jamf: HookDevice | null;
  readonly ndes: {
    readonly template: string;
    readonly lifetimeSeconds: number;
    readonly maximumLive: number;
  } | null;
  readonly radius: (HookDevice & { readonly attribute: 'User-Name' | 'Calling-Station-Id' }) | null;
}

/** How a system of others names devices, and how long a secret lives that it asks for. */
export interface HookDevice {
  readonly column: 'id' | 'serialNumber';
  readonly lifetimeSeconds: number;
}

/** The connection, as the server knows it. Headers by which a proxy would tell of another one are read nowhere. */
export interface ApiConnection extends CallSource {
  readonly clientCertificate: () => { readonly certificate: Uint8Array } | null;
}

/** Which check objected. In the log always; to the machine only what it needs to do better. */
export type RefusalReason =
  | 'source-rate'
  | 'source-range'
  | 'origin'
  | 'credential-missing'
  | 'credential-malformed'
  | 'token-unknown'
  | 'token-expired'
  | 'certificate-unknown'
  | 'certificate-unpinned'
  | 'certificate-expired'
  | 'machine-revoked'
  | 'machine-source'
  | 'credentials-differ'
  | 'guess-rate'
  | 'path'
  | 'method'
  | 'scope'
  | 'template'
  | 'not-own'
  /** A hook names a device that the inventory does not have. */
  | 'device'
  | 'password-cache'
  | 'request'
  | 'act';

export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: 200 | 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 429;
  /** For the machine. */
  readonly words: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a problem, for who knows no problems. */
  readonly page?: Reply;
}

export interface Reply {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** A machine that is known, and what it asks. */
export interface Call {
  readonly machine: Machine;
  readonly source: CallSource;
  /** The parts of the path that the route has in braces. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Reads it, once. */
  readonly body: () => Promise<Buffer>;
  readonly contentType: string | null;
  /** For the entry, where the call changes nothing: what it turned out to be about, as it turns out. */
  readonly about: { device?: string; template?: string; secret?: string; externalAccountKey?: string };
}

export function isRefusal(outcome: Reply | Refusal): outcome is Refusal {
  return 'reason' in outcome;
}
