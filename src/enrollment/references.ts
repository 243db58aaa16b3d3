import type { Template } from '#ca';
import type { TrustAnchors } from '#evidence';
import type { DeviceClass, IdentitySettings } from '#inventory';
import type { RateLimit } from '#limits';

/** What an operator configures and deriving reads. Recorded in the store under its digest, named in every entry. */
export interface References {
  readonly listeners: Readonly<Record<string, ListenerReference>>;
  readonly templates: Readonly<Record<string, Template>>;
  readonly deviceClasses: Readonly<Record<string, DeviceClass>>;
  readonly identities: Readonly<Record<string, IdentityReference>>;
  /** Whom evidence is believed, by the name of a set of roots. Absent: nobody. */
  readonly attestation?: { readonly roots: Readonly<Record<string, TrustAnchors>> };
  /** By issuer name. */
  readonly issuers: Readonly<Record<string, IssuerReference>>;
  /** How long a request waits for an operator, and then for its device. Absent: for ever, as before it was kept. */
  readonly approvals?: { readonly lifetimeSeconds: number };
  readonly limits: {
    readonly source: RateLimit;
    readonly device: RateLimit;
    readonly template: RateLimit;
    /** Of questions to verifiers outside. Absent: as before it was kept. */
    readonly verifier?: RateLimit;
    readonly templates: Readonly<Record<string, RateLimit>>;
    /** Of the static challenges of templates, by template. Absent: no template has one. */
    readonly staticChallenges?: Readonly<Record<string, RateLimit>>;
  };
}

export interface ListenerReference {
  readonly listenerClass: 'public' | 'enroll' | 'admin';
  /** none: plain HTTP, where SCEP alone is served. null: no protocol is. */
  readonly tlsMinimum: 'TLSv1.2' | 'TLSv1.3' | 'none' | null;
  readonly sources: readonly string[];
  /** SHA-256 of the certificates that management clients have, or that vouch for theirs. Absent: it demands none. */
  readonly management?: readonly string[];
  readonly protocols: {
    readonly est?: ServedTemplates;
    readonly scep?: ServedTemplates & { readonly caCertificates: 'issuer' | 'path' };
    readonly acme?: ServedTemplates;
    readonly attestation?: ServedTemplates;
  };
}

interface ServedTemplates {
  readonly templates: readonly string[];
  readonly defaultTemplate: string | null;
}

export interface IdentityReference extends IdentitySettings {
  /** SHA-256 of its CAs; of a registration authority, of the certificates themselves and what stands beside them. */
  readonly certificates: readonly string[];
}

export interface IssuerReference {
  /** SHA-256 of the CA certificate and of those above it, the root last. */
  readonly certificates: readonly string[];
  readonly notAfter: number;
  /** SHA-256 of what clients are told will follow. Absent: nothing. */
  readonly next?: readonly string[];
}

/** The row of this name, and never what every object inherits: names come from request targets. */
export function named<T>(table: Readonly<Record<string, T>>, name: string | null | undefined): T | undefined {
  return name !== null && name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}
