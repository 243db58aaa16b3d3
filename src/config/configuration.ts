import type { Template } from '#ca';
import type { ListedFormat, TrustAnchors } from '#evidence';
import type { DeviceClass, IdentitySettings } from '#inventory';
import type { RateLimit } from '#limits';
import type { SecretReference } from './secret.ts';

/** sallyport.yaml, checked and resolved: every path absolute, every duration in seconds, frozen to the last leaf. */
export interface Configuration {
  /** The file, absolute. */
  readonly file: string;
  /** Its folder, from which relative paths counted. */
  readonly directory: string;
  readonly authority: { readonly name: string; readonly data: string };
  readonly database: DatabaseConfiguration;
  /** Where SQLite is, or was before the authority moved to another database. */
  readonly sqliteFile: string;
  readonly issuers: readonly IssuerConfiguration[];
  readonly listeners: readonly ListenerConfiguration[];
  readonly templates: readonly Template[];
  /** Of templates that have one, by template. */
  readonly staticChallenges: Readonly<Record<string, StaticChallengeConfiguration>>;
  readonly workflows: readonly WorkflowConfiguration[];
  readonly deviceClasses: readonly DeviceClass[];
  readonly identities: readonly IdentityConfiguration[];
  readonly attestation: AttestationConfiguration;
  readonly validation: ValidationConfiguration;
  readonly limits: LimitsConfiguration;
  readonly secrets: SecretsConfiguration;
  readonly approvals: { readonly lifetimeSeconds: number; readonly retryAfterSeconds: number };
  readonly policy: PolicyConfiguration;
  readonly log: LogConfiguration;
}

/** Whom evidence is believed. */
export interface AttestationConfiguration {
  /** `files`, `intermediateFiles`: PEM files. */
  readonly roots: readonly (Pick<TrustAnchors, 'name' | 'format' | 'level'> & {
    readonly files: readonly string[];
    readonly intermediateFiles: readonly string[];
    /** SHA-256, hexadecimal, of each root that may be in `files`; null: whatever is. */
    readonly fingerprints: readonly string[] | null;
  })[];
  /** Files of what issuers have revoked, by format. */
  readonly statusLists: { readonly 'android-key'?: string } & Readonly<
    Partial<Record<ListedFormat, readonly string[]>>
  >;
  readonly verifiers: readonly VerifierConfiguration[];
}

/** Who reads evidence outside. Files are PEM. */
export interface VerifierConfiguration {
  readonly name: string;
  readonly url: string;
  readonly ca: string;
  readonly client: { readonly certificate: string; readonly key: TlsConfiguration['key'] };
  readonly key: SecretReference;
  readonly formats: readonly string[];
  readonly identifiers: readonly string[];
  readonly timeoutSeconds: number;
}

/** `sqlite` is in `sqliteFile`. */
export type DatabaseConfiguration = { readonly kind: 'sqlite' } | PostgresConfiguration;

export interface PostgresConfiguration {
  readonly kind: 'postgres';
  /** Name of this node. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: SecretReference | null;
  /** PEM file of the CAs that vouch for the server; null: no TLS. */
  readonly tls: { readonly ca: string } | null;
  readonly connections: number;
  readonly preparedStatements: boolean;
}

export interface IssuerConfiguration {
  readonly name: string;
  readonly certificate: string;
  /** Root last. */
  readonly chain: readonly string[];
  /** PEM files. */
  readonly rollover: readonly string[];
  readonly key: EncryptedKeyFile;
  /** null: it has none, and serves no SCEP. */
  readonly ra: { readonly key: EncryptedKeyFile } | null;
  /** The certificates of the CA that will follow, PEM files; null: it is not told yet. */
  readonly next: {
    readonly certificate: string;
    /** Root last. */
    readonly chain: readonly string[];
    readonly ra: string | null;
  } | null;
  readonly crl: { readonly lifetimeSeconds: number; readonly refreshSeconds: number };
  /** http, without a slash at the end. */
  readonly publicUrl: string;
}

export interface EncryptedKeyFile {
  readonly file: string;
  readonly passphrase: SecretReference;
}

export type ListenerConfiguration = PublicListener | EnrollListener | ApiListener | AdminListener;

interface ListenerBounds {
  readonly name: string;
  readonly maximumBodyBytes: number;
  readonly maximumConnections: number;
  readonly requestTimeoutSeconds: number;
}

interface AddressedListener extends ListenerBounds {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** CIDRs. */
  readonly sources: readonly string[];
}

export interface PublicListener extends AddressedListener {
  readonly class: 'public';
}

export type EnrollListener = TlsListener | PlainListener;

interface ProtocolListener extends AddressedListener {
  readonly class: 'enroll';
  readonly protocols: ProtocolsConfiguration;
}

export interface TlsListener extends ProtocolListener {
  readonly tls: TlsConfiguration;
  /** PEM files of management clients' certificates and their CAs; null: anybody's. */
  readonly management: readonly string[] | null;
}

/** HTTP, for SCEP alone. */
export interface PlainListener extends ProtocolListener {
  readonly tls: null;
  readonly management: null;
}

export interface ApiListener extends AddressedListener {
  readonly class: 'api';
  readonly tls: TlsConfiguration;
  readonly clients: 'asked' | 'required';
  /** null: the hook is not there. */
  readonly jamf: HookConfiguration | null;
  readonly ndes: {
    readonly template: string;
    readonly lifetimeSeconds: number;
    readonly maximumLive: number;
  } | null;
  readonly radius: (HookConfiguration & { readonly attribute: 'User-Name' | 'Calling-Station-Id' }) | null;
}

interface HookConfiguration {
  readonly column: 'id' | 'serialNumber';
  readonly lifetimeSeconds: number;
}

export interface AdminListener extends ListenerBounds {
  readonly class: 'admin';
  readonly socket: string;
}

export type TlsConfiguration = TlsOfFiles | TlsOfIssuer;

/** Somebody else certifies the key. */
interface TlsOfFiles extends AnyTls {
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly issued: null;
}

/** The authority certifies it. */
interface TlsOfIssuer extends AnyTls {
  readonly certificate: null;
  readonly chain: readonly [];
  readonly issued: {
    readonly issuer: string;
    /** Hosts and addresses. */
    readonly names: readonly string[];
  };
}

interface AnyTls {
  readonly key: { readonly file: string; readonly passphrase: SecretReference | null };
  readonly minimum: 'TLSv1.3' | 'TLSv1.2';
}

/** A protocol that is absent is not served. */
export interface ProtocolsConfiguration {
  readonly est?: EstConfiguration;
  readonly scep?: ScepConfiguration;
  readonly acme?: AcmeConfiguration;
  /** There is no address without a template. */
  readonly attestation?: { readonly templates: readonly string[]; readonly defaultTemplate: null };
}

export interface EstConfiguration {
  readonly templates: readonly string[];
  /** null: requests without a label are refused. */
  readonly defaultTemplate: string | null;
}

export interface ScepConfiguration {
  readonly templates: readonly string[];
  /** Of every address that names none of the templates; null: those are refused. */
  readonly defaultTemplate: string | null;
  /** What GetCACert gives beside the RA's certificate. */
  readonly caCertificates: 'issuer' | 'path';
}

export interface AcmeConfiguration {
  /** Each has a directory of its own, and all of them are profiles of the one without a template. */
  readonly templates: readonly string[];
  /** Of an order that names no profile there; null: such orders are refused. */
  readonly defaultTemplate: string | null;
}

/** How control of a name is seen (ACME). */
export interface ValidationConfiguration {
  /** Addresses, with ports where these are not 53; empty: those of the system. */
  readonly resolvers: readonly string[];
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly timeoutSeconds: number;
  /** Further places, from all of which it must be seen as well. */
  readonly perspectives: readonly {
    readonly name: string;
    readonly resolvers: readonly string[];
    readonly localAddress: string | null;
  }[];
}

export interface IdentityConfiguration extends IdentitySettings {
  readonly name: string;
  /** PEM files. */
  readonly files: readonly string[];
}

export interface StaticChallengeConfiguration {
  readonly challenge: SecretReference;
  readonly limit: RateLimit;
}

export type WorkflowConfiguration = WebhookConfiguration | IntuneConfiguration;

interface AnyWorkflow {
  readonly name: string;
  readonly timeoutSeconds: number;
  /** PEM file; null: what Node.js trusts. */
  readonly ca: string | null;
}

export interface WebhookConfiguration extends AnyWorkflow {
  readonly kind: 'webhook';
  readonly url: string;
  readonly key: SecretReference;
}

export interface IntuneConfiguration extends AnyWorkflow {
  readonly kind: 'intune';
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: SecretReference;
  /** https, without a slash at the end. */
  readonly loginUrl: string;
  readonly graphUrl: string;
  readonly resourceUrl: string;
}

export interface LimitsConfiguration {
  readonly source: RateLimit;
  readonly device: RateLimit;
  readonly template: RateLimit;
  readonly verifier: RateLimit;
  readonly unopened: RateLimit;
  /** Only the templates that have their own. */
  readonly templates: Readonly<Record<string, RateLimit>>;
}

export interface SecretsConfiguration {
  readonly lifetimeSeconds: number;
  readonly maximumLifetimeSeconds: number;
  /** Newest first. */
  readonly macKeys: readonly { readonly id: string; readonly key: SecretReference }[];
}

export interface PolicyConfiguration {
  /** null: the built-in policies. */
  readonly file: string | null;
  readonly additional: readonly string[];
}

export interface LogConfiguration {
  readonly origin: string;
  readonly key: EncryptedKeyFile;
  readonly checkpointFile: string;
  /** Folder that the nodes share; null: none. */
  readonly anchorFolder: string | null;
  readonly checkpointIntervalSeconds: number;
  readonly replayIntervalSeconds: number;
  readonly sinks: readonly SinkConfiguration[];
}

export interface SinkConfiguration {
  readonly name: string;
  readonly kind: 'ndjson';
  readonly file: string;
  /** Whether entries go there with their personal fields, or leaves alone. */
  readonly personalFields: 'opened' | 'sealed';
}
