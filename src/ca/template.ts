import type { KeyAlgorithm } from '#keys';

/** A value of a subject or SAN: literal text with placeholders {device.id}, {device.serialNumber}, {device.<identifier>}. */
export type NamePattern = string;

/** A name of the request that may be used, by an explicit allow-list. */
export interface RequestedNameRule {
  readonly kind: 'dns' | 'uri' | 'email' | 'ip';
  /** dns: the name equals this or ends with "." + this; uri: starts with this; email: ends with "@" + this; ip: a CIDR. */
  readonly within: string;
  readonly maximum: number;
  /** dns: names that begin with `*.` too. Absent: none. */
  readonly wildcard?: boolean;
}

/** An extension that every certificate of a template has. The configuration's schema keeps out what is known to give a device authority. */
export interface TemplateExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER, lower case hex. */
  readonly value: string;
}

/** Orders of a template (RFC 8555). */
export interface AcmeTemplate {
  /** `device-attest-01` stands alone: by it devices are ordered, and no names. */
  readonly challenges: readonly ('http-01' | 'dns-01' | 'tls-alpn-01' | 'device-attest-01')[];
  /** optional: an account needs none, and what its order rests on is evidence alone. Absent: required. */
  readonly externalAccountKey?: 'required' | 'optional';
  /** The certificate of a device names it as it was ordered: PermanentIdentifier (RFC 4043) or HardwareModuleName (RFC 4108). Absent: it does not. */
  readonly embedIdentifier?: boolean;
  /** CIDRs that http-01 and tls-alpn-01 may connect to. */
  readonly networks: readonly string[];
  /** Our name in CAA records (RFC 8659); null: they are not looked at. */
  readonly caa: string | null;
  /** How long an order may stay open. */
  readonly orderSeconds: number;
  /** How long a proof counts, for this order and later ones. */
  readonly authorizationSeconds: number;
}

/** A certificate profile. Part of the references: plain, serialisable. Validated by the configuration's schema. */
export interface Template {
  readonly name: string;
  readonly issuer: string;
  /** In order. `type` is one of the names of x509's attribute types (commonName, organizationName, serialNumber, …). */
  readonly subject: readonly { readonly type: string; readonly value: NamePattern }[];
  readonly subjectAltName: readonly {
    readonly kind: 'dns' | 'uri' | 'email' | 'ip';
    readonly value: NamePattern;
    /** true: left out when the device has no such identifier. false: then the request is refused. */
    readonly optional: boolean;
  }[];
  readonly request: {
    /** Subject attributes that a request may carry in vain: not copied, not objected to. */
    readonly ignoredSubjectAttributes: readonly string[];
    readonly subjectAltName: readonly RequestedNameRule[];
  };
  readonly keyAlgorithms: readonly KeyAlgorithm[];
  /** hardware: proven by attestation. declared: nobody proves it. */
  readonly keyProtection: 'hardware' | 'declared';
  /** RFC 5280 names: digitalSignature, keyEncipherment, … */
  readonly keyUsage: readonly string[];
  /** Dotted OIDs. Never empty. */
  readonly extendedKeyUsage: readonly string[];
  readonly validitySeconds: number;
  /** Renewal is open for this long before the end; at least the validity means always. */
  readonly renewalWindowSeconds: number;
  /** RFC 7030 section 4.2.2. */
  readonly renewal: {
    readonly key: 'any' | 'same' | 'new';
    /** A renewal that names no subject or no SAN: refused, as the RFC says, or it keeps those of the certificate. */
    readonly omittedNames: 'refused' | 'kept';
    /** A renewal may ask for the names that the inventory gives now (ChangeSubjectName, RFC 6402 section 2.8). */
    readonly changeSubjectName: boolean;
  };
  /** RFC 7030 section 3.5 and RFC 9266. */
  readonly channelBinding: 'optional' | 'required';
  /** The key that the authority makes where it is asked to (RFC 7030 section 4.4); null: it makes none. */
  readonly serverKeygen: KeyAlgorithm | null;
  /** Layers that authenticate a first enrollment. Never empty. `endorsement` stands alone: by it attestation keys of TPMs are certified, and no other keys. */
  readonly authentication: readonly (
    | 'secret'
    | 'workflow'
    | 'dangerousStaticChallenge'
    | 'attestation'
    | 'idevid'
    | 'mdm'
    | 'ra'
    | 'account'
    | 'endorsement'
  )[];
  /** How names are proven (ACME). Absent: they cannot be, and no order is taken. */
  readonly acme?: AcmeTemplate;
  /** Systems outside that must agree to every request. Absent: none. */
  readonly workflows?: readonly string[];
  /** By what a request names its device whose credential does not: the inventory's column, and where the name stands in the subject. */
  readonly requestedDevice?: {
    readonly column: 'id' | 'serialNumber';
    readonly from: 'commonName' | 'serialNumber';
  };
  /** Classes of devices that may sign messages with SHA-1 and encrypt them with 3DES (SCEP). Absent: none. */
  readonly legacyAlgorithms?: readonly string[];
  /** certificatePolicies OIDs. */
  readonly policies: readonly string[];
  /** Beyond those that the keys above and the issuer give. */
  readonly extensions: readonly TemplateExtension[];
}
