import type { EvidenceFormat, EvidenceVersions, Examination, IssuerLists, RevocationStatus } from '#evidence';
import type { DeviceState } from '#inventory';
import type { GeneralName, Name } from '#x509';
import type { IdentifierType, OrderIdentifier } from './order.ts';

/**
 * What the layers saw: plain, serialisable, recorded in the log as they are. A layer that saw nothing leaves its group
 * null. Times are milliseconds since the epoch, digests are SHA-256 in lower-case hex.
 */
export interface Observations {
  readonly source: SourceObservation;
  readonly rate: RateObservation;
  readonly request: RequestObservation | null;
  readonly secret: SecretObservation | null;
  /** A password that is none of the secrets that we give out; absent where none was presented. */
  readonly challenge?: ChallengeObservation;
  /** What the template's workflows said; absent where none was asked. */
  readonly workflows?: readonly WorkflowObservation[];
  /** What an ACME account ordered, with what it was given; absent by any other protocol, null where there is no such order of this account. */
  readonly order?: OrderObservation | null;
  /** Of an order: the certificate that it renews, which the account's key stands for. */
  readonly presenter: PresenterObservation | null;
  readonly device: DeviceObservation | null;
  readonly evidence: EvidenceObservation | null;
  readonly key: KeyObservation | null;
  readonly approval: ApprovalObservation | null;
  /** What operators denied to this device, template and key, by the names asked for; the newest first. */
  readonly denials: readonly { readonly names: string; readonly at: number }[];
  /** The current certificate that this key got already for this device and template, from the same presenter. */
  readonly issued: { readonly sha256: string; readonly names: string } | null;
  /** What came of the certificate that is presented, and of those that it descends from; null: none of ours is. Absent: nobody has looked, as before it was kept. */
  readonly lineage?: LineageObservation | null;
}

/** SHA-256 of certificates, no more than ten of each. */
export interface LineageObservation {
  /** Current ones that descend from it, for other keys than the one that is asked for. */
  readonly others: readonly string[];
  /** The certificate of its line that was presented for two keys, while no operator has decided for this branch, and current ones of its other branches. */
  readonly contested: { readonly presented: string; readonly others: readonly string[] } | null;
}

/** Where the request came in, and what it asked for by address. */
export interface SourceObservation {
  readonly listener: string;
  readonly protocol: 'est' | 'scep' | 'acme' | 'attestation';
  readonly operation: string;
  /** The template named by label or by the listener's default; null where the operation needs none. */
  readonly template: string | null;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /** Who connected, where the listener demands a management client; null: nobody that showed a certificate. Absent: it demands none. */
  readonly management?: ManagementObservation | null;
  /** How a message was protected that was read; absent where none was, and where the protocol has none. */
  readonly message?: MessageObservation;
}

/** The client certificate of a management client, whose key the TLS handshake proved. */
export interface ManagementObservation {
  readonly sha256: string;
  readonly isCa: boolean;
  readonly extendedKeyUsage: readonly string[] | null;
  /** From itself to a certificate that the listener lists; empty: there is no such path. */
  readonly path: readonly {
    readonly sha256: string;
    readonly notBefore: number;
    readonly notAfter: number;
  }[];
}

/** CMS, as SCEP has it. */
export interface MessageObservation {
  /** SHA-256 of the transactionID, lower-case hex: it is the client's own text. */
  readonly transaction: string;
  /** SHA-256 of the key that signed it. */
  readonly signer: string;
  readonly digest: string;
  /** Of the envelope; null where none was opened. */
  readonly cipher: string | null;
  readonly keyTransport: string | null;
}

/** The theoretical arrival time of each limit's key before this request; null for a key never seen (limits/gcra.ts). */
export interface RateObservation {
  readonly source: { readonly tat: number | null };
  /** null at admit. */
  readonly device: { readonly tat: number | null } | null;
  readonly template: { readonly tat: number | null } | null;
  /** Of the certificate that is presented; absent where its lineage is not contested. */
  readonly presented?: { readonly tat: number | null };
  /** Of questions to verifiers by who presents this, where one was to be asked; absent where none was. */
  readonly verifier?: { readonly tat: number | null };
  /** Of the template's static challenge; absent where none was presented. */
  readonly challenge?: { readonly tat: number | null };
}

/** What the certification request asked for; nothing in here reaches a certificate but by the template. */
export interface RequestObservation {
  readonly subject: Name;
  readonly subjectAltName: readonly GeneralName[];
  /** Requested extensions, the SAN included; values in base64. */
  readonly extensions: readonly {
    readonly oid: string;
    readonly critical: boolean;
    readonly value: string;
    /** Stands in the client certificate with this value: libest asks a renewal for all that its certificate has. */
    readonly presented?: true;
  }[];
  /** The names that a renewal asks for instead of those it has (RFC 6402 section 2.8). */
  readonly changeSubjectName: {
    readonly subject: Name | null;
    readonly subjectAltName: readonly GeneralName[] | null;
  } | null;
  /** Digest of the request's own public key: to it secret, approval and pending request are bound. */
  readonly spki: string;
  /** The request's own signature verifies; of an attestation key, which signs none: its activation is what proves it (`evidence`). */
  readonly possession: boolean;
  /**
   * What its challengePassword is to the TLS connection. `foreign`: has the form of a binding, and is none of this connection. `other`: no
   * binding, or tls-unique on TLS 1.3, where it binds nothing (RFC 9266).
   */
  readonly channelBinding: 'absent' | 'tls-unique' | 'tls-exporter' | 'foreign' | 'other';
}

export interface SecretObservation {
  /** null: no secret has this value. */
  readonly id: string | null;
  /** It was for no device yet: the request says for which. */
  readonly unbound?: true;
  /**
   * The id of the device that the user name beside it names, where it names one. Any other user name is not written
   * down: people put the secret there.
   */
  readonly userNameDevice: string | null;
  readonly state: 'live' | 'reserved' | 'spent' | 'void' | null;
  readonly expiresAt: number | null;
  readonly template: string | null;
  readonly expected: {
    readonly subject: Name | null;
    readonly subjectAltName: readonly GeneralName[] | null;
  } | null;
  /** For whom it was reserved or spent. */
  readonly reservedFor: { readonly spki: string; readonly names: string } | null;
  /** The certificate it was spent for, while that is still current (neither revoked nor expired). */
  readonly certificate: string | null;
}

export type ChallengeObservation =
  /** The template's workflow has to answer for it. */
  { readonly kind: 'workflow' } | { readonly kind: 'static'; readonly matches: boolean };

export interface WorkflowObservation {
  readonly name: string;
  readonly decision: 'agreed' | 'refused' | 'unavailable';
  /** Letters, digits and `._-`. */
  readonly code: string;
  /** The device that it spoke of, beside the one observed. */
  readonly device: 'same' | 'other' | 'none';
}

export interface OrderObservation {
  readonly id: string;
  readonly account: { readonly id: string; readonly status: 'valid' | 'deactivated' | 'revoked' };
  /** The external account key that the account was made with: what its owner was given. null: none, whose it is evidence said. */
  readonly key: {
    readonly id: string;
    readonly state: 'live' | 'spent' | 'void';
    readonly templates: readonly string[];
    /** null: whatever the template admits (order.ts). */
    readonly names: readonly string[] | null;
    /** Sets of names with current certificates; null: any number. */
    readonly maximumCertificates: number | null;
    /** The operator who said that the names need no other approval; null: nobody did. */
    readonly approvedBy: string | null;
  } | null;
  readonly template: string;
  readonly identifiers: readonly OrderIdentifier[];
  readonly authorizations: readonly {
    /** As the entry of its proof has it. */
    readonly id: string;
    readonly type: IdentifierType;
    readonly value: string;
    readonly wildcard: boolean;
    readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated';
    /** The challenge that it was validated by. */
    readonly method: string | null;
    readonly validatedAt: number | null;
    readonly expiresAt: number;
  }[];
  /** What it asked for of the certificate's validity; null: whatever the template gives. */
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  readonly expiresAt: number;
  /** When a request was first held for it; null: none was. */
  readonly finalizedAt: number | null;
  /** Of that request, and of the one that it was issued for. */
  readonly finalizedSpki: string | null;
  /** It came to nothing. */
  readonly failed: boolean;
  /** What it was issued. */
  readonly certificate: string | null;
  /** How many other sets of names the account has current certificates for, or is about to get one for. */
  readonly otherNames: number;
}

/** The client certificate, whose key the TLS handshake proved. */
export interface PresenterObservation {
  readonly sha256: string;
  /** Digest of its public key. */
  readonly spki: string;
  readonly subject: Name;
  readonly subjectAltName: readonly GeneralName[];
  readonly notBefore: number;
  readonly notAfter: number;
  readonly selfSigned: boolean;
  readonly isCa: boolean;
  /** null: without the extension. */
  readonly keyUsage: readonly string[] | null;
  readonly extendedKeyUsage: readonly string[] | null;
  /** HardwareModuleName of the SAN (RFC 4108 section 5), the serial number as text where it is some, else as `hex:` and its octets. */
  readonly hardwareModule: { readonly type: string; readonly serialNumber: string } | null;
  /** Its verified path to a CA of an identity from elsewhere, itself first; empty where there is none. */
  readonly path: readonly {
    readonly sha256: string;
    readonly notBefore: number;
    readonly notAfter: number;
    readonly extendedKeyUsage: readonly string[] | null;
  }[];
  /** SHA-256 of the CA certificate of ours under which its signature verifies; null for none. */
  readonly issuedBy: string | null;
  /** Its row in our store; null: we know no such certificate. */
  readonly record: {
    readonly template: string;
    readonly deviceId: string;
    readonly revoked: boolean;
    /** An ACME account has ordered it. */
    readonly ordered?: true;
    /** Its id; absent with `ordered`, and in entries of before. */
    readonly orderedBy?: string;
  } | null;
}

export interface DeviceObservation {
  readonly id: string;
  readonly serialNumber: string | null;
  readonly deviceClass: string;
  readonly state: DeviceState;
  readonly identifiers: Readonly<Record<string, string>>;
  /** It has a current certificate of the template asked for, for another key. */
  readonly otherKeyCurrent: boolean;
}

export interface EvidenceObservation {
  /** Formats offered; `unknown`: it could not be read so far. */
  readonly offered: readonly string[];
  /** What the verifier saw; absent where none was offered, and so is what follows. */
  readonly examination?: Examination;
  /** Of its certificates, by the list of all keys of its format, or by those of their issuers; null: there is no list. */
  readonly status?: RevocationStatus | IssuerLists | null;
  /** What came of it before; null: nobody has seen it. */
  readonly earlier?: EarlierEvidence | null;
  /** null: nothing is known of the key that attests, and its certificate is of another authority. */
  readonly attester?: AttesterObservation | null;
  /** What evidence of this format said of the device when a certificate was last issued on it; null: none was. Absent: nobody has looked, as before it was kept. */
  readonly versions?: EvidenceVersions | null;
  /** The key that attests, and who got certificates by it; null: there is none, or it was not sent. Absent: nobody has looked, as before it was kept. */
  readonly attestingKey?: AttestingKeyObservation | null;
}

/** A key that attests, and its certificate, as far as we have to do with it. */
export interface AttesterObservation {
  /** To whom we have issued the certificate; null: to nobody that is known. */
  readonly deviceId: string | null;
  readonly revoked: boolean;
  /** A certificate of this key was revoked as compromised. */
  readonly compromised?: boolean;
  /** A CA of ours has signed it, and the store does not have it. */
  readonly unknown?: boolean;
}

export interface AttestingKeyObservation {
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly spki: string;
  /** How many got certificates by it, counted up to 10,000. */
  readonly otherDevices: number;
  /** This one did. */
  readonly known: boolean;
}

/** What an operator sees of verified evidence, and approves. */
export interface EvidenceSeen {
  readonly sha256: string;
  readonly said: {
    readonly format: EvidenceFormat;
    readonly versions: EvidenceVersions;
    /** SHA-256 of the SubjectPublicKeyInfo of the key that attests; null: there is none, or it was not sent. */
    readonly attestingKey: string | null;
  };
}

/** The same evidence, octet for octet, that came with a request before. */
export interface EarlierEvidence {
  /** With this same request: device, template and key. */
  readonly same: boolean;
  /** It held the nonce that was in force then. */
  readonly fresh: boolean;
  /** That it got a certificate for. */
  readonly certificate: string | null;
  /** When it came first. Absent: as before it was observed. */
  readonly seenAt?: number;
}

export interface KeyObservation {
  /** Who makes it. */
  readonly origin: 'device' | 'authority';
  /** null: the authority makes it when the request is allowed. */
  readonly spki: string | null;
  readonly algorithm: string;
  readonly bits: number;
  readonly weaknesses: readonly string[];
  /** Another device has or had a certificate for this key. */
  readonly shared: boolean;
}

/** The open approval that fits device, template and key; its names are compared when deriving. */
export interface ApprovalObservation {
  readonly id: string;
  /** null: given beforehand, for whatever key the device brings. */
  readonly spki: string | null;
  readonly names: string | null;
  readonly lifts: readonly string[];
  /** Of the request that was approved; null: it had none that was verified, or nobody wrote it down. Absent: the entry is from before it was kept. */
  readonly evidence?: EvidenceSeen | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly by: string;
}
