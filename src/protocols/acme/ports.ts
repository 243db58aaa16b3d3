import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Authority, Enrollment, SentCertificate } from '#enrollment';
import type { ValidationOutcome } from './validations.ts';
import type { AcmeStore, StoredAuthorization } from './store.ts';

export interface AcmePorts {
  readonly enrollment: Enrollment;
  readonly authority: () => Authority;
  readonly store: AcmeStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<Uint8Array>;
  /** Whether a listener is reached by this name: its certificate names it. */
  readonly isOwnHost: (host: string) => boolean;
  /** Looks for the proof of control. Never throws for what the other side does. */
  readonly validate: (authorization: StoredAuthorization, thumbprint: string) => Promise<ValidationOutcome>;
  /** Called after a certificate was revoked here. */
  readonly revoked: (issuer: string) => void;
  readonly report: (fault: { id: string; error: unknown }) => void;
}

/** The connection, as the server knows it. */
export interface AcmeConnection {
  readonly listener: string;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  readonly clientCertificate: () => SentCertificate | null;
}

/** One request on its way. */
export interface Exchange {
  readonly admission: Admission;
  /** `https://` and the host that the client asked for. */
  readonly base: string;
  /** What the client must have signed that it asks. */
  readonly url: string;
  /** Of the directory; null: the one of all templates. */
  readonly template: string | null;
  readonly parts: readonly string[];
  readonly query: string;
}

/** What a resource answers with. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly links?: readonly { readonly url: string; readonly rel: string }[];
  /** JSON, unless it has a type of its own. */
  readonly body: object | { readonly type: string; readonly text: string } | null;
}
