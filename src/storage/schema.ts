import type { MachineScope, NewSecret } from '#admin';
import type { EvidenceVersions, Examination } from '#evidence';
import type { EvidenceSeen, RequestSummary } from '#enrollment';
import type { DeviceState } from '#inventory';
import type { Objection } from '#policy';
import type {
  AcmeAccountRow,
  AcmeAuthorizationRow,
  AcmeOrderAuthorizationRow,
  AcmeOrderRow,
  ExternalAccountKeyRow,
} from './acme-rows.ts';
import type { JsonText } from './json-text.ts';

export type * from './acme-rows.ts';

/**
 * The tables as rows are read and written: text, integer, real and blob only, JSON as typed text, times in milliseconds since
 * the epoch. One schema for every adapter; the migrations create it.
 */
export interface Schema {
  readonly device: DeviceRow;
  readonly secret: SecretRow;
  readonly approval: ApprovalRow;
  readonly request: RequestRow;
  readonly intent: IntentRow;
  readonly abandoned_intent: AbandonedIntentRow;
  readonly certificate: CertificateRow;
  readonly lost_certificate: LostCertificateRow;
  readonly crl: CrlRow;
  readonly ra_certificate: RaCertificateRow;
  readonly listener_certificate: ListenerCertificateRow;
  readonly polled_request: PolledRequestRow;
  readonly rate_limit: RateLimitRow;
  readonly operator: OperatorRow;
  readonly machine: MachineRow;
  readonly machine_token: MachineTokenRow;
  readonly machine_certificate: MachineCertificateRow;
  readonly external_account_key: ExternalAccountKeyRow;
  readonly acme_account: AcmeAccountRow;
  readonly acme_order: AcmeOrderRow;
  readonly acme_authorization: AcmeAuthorizationRow;
  readonly acme_order_authorization: AcmeOrderAuthorizationRow;
  /** Used ones, until they would be refused for their age. */
  readonly acme_nonce: { readonly nonce: Uint8Array; readonly expires_at: number };
  readonly evidence: EvidenceRow;
  /** In force until then, for who presents this. */
  readonly evidence_nonce: {
    readonly holder: string;
    readonly nonce: Uint8Array;
    readonly expires_at: number;
  };
  readonly evidence_version: EvidenceVersionRow;
  readonly attestation_key_device: AttestationKeyDeviceRow;
  readonly lineage_contest: LineageContestRow;
  readonly activation: ActivationRow;
  readonly references_body: { readonly digest: string; readonly body: Uint8Array };
  readonly policies_text: { readonly digest: string; readonly text: string };
  readonly log_entry: LogEntryRow;
  /** Roots of full subtrees of 2^level entries; the leaves are in log_entry. */
  readonly log_hash: { readonly level: number; readonly idx: number; readonly hash: Uint8Array };
  readonly blob: BlobRow;
  readonly log_head: LogHeadRow;
  readonly earlier_log: EarlierLogRow;
  readonly log_note: { readonly id: number; readonly size: number; readonly note: string };
  readonly sink: { readonly name: string; readonly next_idx: number };
  /** Work that one node does for all, until then. */
  readonly lease: { readonly name: string; readonly holder: string; readonly until_time: number };
  readonly node: NodeRow;
  readonly migration: { readonly version: number; readonly name: string };
}

export interface NodeRow {
  readonly name: string;
  /** The process that serves under this name, until then. */
  readonly holder: string;
  readonly until_time: number;
  readonly references_digest: string;
  readonly policies_digest: string;
}

export interface DeviceRow {
  readonly id: string;
  readonly serial_number: string | null;
  readonly device_class: string;
  readonly owner: string | null;
  readonly state: DeviceState;
  readonly identifiers: JsonText<Readonly<Record<string, string>>>;
  /** The identifier of this name; null: it has none. */
  readonly ek_sha256: string | null;
  /** The same of a device that an earlier version knew by it, as it did others; null: nobody else had it. */
  readonly ek_disputed: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** Until then the TPM of a device may prove an attestation key, once, by a secret of this MAC. */
export interface ActivationRow {
  readonly mac: Uint8Array;
  readonly device_id: string;
  readonly template: string;
  /** SubjectPublicKeyInfo of the attestation key. */
  readonly spki: Uint8Array;
  readonly examination: JsonText<Examination>;
  readonly expires_at: number;
  /** Under which the MAC was made; null, as `source` and `message`: of a version that kept none. */
  readonly mac_key_id: string | null;
  /** Who asked, as the limit of sources counts. */
  readonly source: string | null;
  /** As it came. */
  readonly message: Uint8Array | null;
}

export interface SecretRow {
  readonly id: string;
  readonly mac: Uint8Array;
  readonly mac_key_id: string;
  /** null: for no device yet. */
  readonly device_id: string | null;
  readonly template: string;
  /** Subject and SAN that the request must have. */
  readonly expected: JsonText<NonNullable<NewSecret['expected']>> | null;
  readonly state: 'live' | 'reserved' | 'spent' | 'void';
  /** The asker's own key, and the names, for which it is reserved or was spent. */
  readonly spki: string | null;
  readonly names: string | null;
  /** SHA-256 of the certificate it was spent for. */
  readonly certificate: string | null;
  readonly created_at: number;
  readonly expires_at: number;
  readonly created_by: string;
}

export interface ApprovalRow {
  readonly id: string;
  readonly device_id: string;
  readonly template: string;
  readonly spki: string | null;
  readonly names: string | null;
  /** Ids of controls. */
  readonly lifts: JsonText<readonly string[]>;
  readonly evidence: JsonText<EvidenceSeen> | null;
  /** `taken` by an open intent; `used` by the certificate that this intent became. */
  readonly state: 'open' | 'taken' | 'used' | 'void';
  readonly intent_id: string | null;
  readonly created_by: string;
  readonly created_at: number;
  readonly expires_at: number;
}

export interface RequestRow {
  readonly id: string;
  readonly device_id: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
  /** At most one `pending` row for one device, template and key. */
  readonly state: 'pending' | 'approved' | 'denied' | 'issued';
  readonly objections: JsonText<readonly Objection[]>;
  readonly summary: JsonText<RequestSummary>;
  readonly evidence: JsonText<EvidenceSeen> | null;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly decided_by: string | null;
  readonly decided_at: number | null;
}

/**
 * A signature that is about to be made. Only open intents have a row here, so there are never many: the certificate stands for a closed
 * one, an `abandoned_intent` for one that nothing came of.
 */
export interface IntentRow {
  readonly id: string;
  readonly issuer: string;
  readonly serial_number: string;
  readonly tbs_sha256: string;
  readonly device_id: string;
  readonly template: string;
  /** Of the key that is certified. */
  readonly spki: string;
  /** Of the asker's own key. */
  readonly request_spki: string;
  readonly names: string;
  readonly secret_id: string | null;
  readonly approval_id: string | null;
  readonly created_at: number;
  readonly lease_until: number;
}

/** The signature may exist, nothing was delivered, and the serial number is on the CRL for good. */
export interface AbandonedIntentRow {
  readonly id: string;
  readonly issuer: string;
  readonly serial_number: string;
  readonly tbs_sha256: string;
  readonly device_id: string;
  readonly template: string;
  readonly spki: string;
  readonly abandoned_at: number;
}

export interface CertificateRow {
  /** Place of the entry that records the issuance: certificates are ordered by it. */
  readonly log_idx: number;
  readonly sha256: string;
  readonly issuer: string;
  readonly serial_number: string;
  /** Empty, as `names`, where the device was erased. */
  readonly der: Uint8Array;
  readonly device_id: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
  readonly not_before: number;
  readonly not_after: number;
  readonly predecessor: string | null;
  readonly revoked_at: number | null;
  readonly revocation_reason: number | null;
  /** 1: nobody has had it; null: whoever was to, or nobody knows. */
  readonly undelivered: number | null;
}

/** Issued after the backup that was restored: known by the log's copy elsewhere, and on the CRL for good. */
export interface LostCertificateRow {
  readonly issuer: string;
  readonly serial_number: string;
  /** null: the signature may exist, and nothing was delivered. */
  readonly sha256: string | null;
  readonly device_id: string;
  readonly template: string;
  readonly revoked_at: number;
  readonly revocation_reason: number;
}

export interface CrlRow {
  readonly issuer: string;
  /** Decimal: RFC 5280 section 5.2.3 allows 20 octets. */
  readonly number: string;
  readonly der: Uint8Array;
  /** How many serial numbers are on it; null: one that an earlier version issued, which did not count them. */
  readonly listed: number | null;
  readonly this_update: number;
  readonly next_update: number;
}

export interface RaCertificateRow {
  readonly issuer: string;
  readonly serial_number: string;
  readonly spki: string;
  readonly not_before: number;
  readonly not_after: number;
  readonly revoked_at: number | null;
  readonly revocation_reason: number | null;
  readonly der: Uint8Array;
}

export interface ListenerCertificateRow extends RaCertificateRow {
  /** Empty: of the one process on SQLite. */
  readonly node: string;
  readonly listener: string;
}

/** A request that was held, as a client asks for it again: by the key that signs, and a transaction. */
export interface PolledRequestRow {
  /** SHA-256 of the key, and of the transactionID. */
  readonly signer: string;
  readonly transaction_digest: string;
  readonly template: string;
  readonly device_id: string;
  /** Place of the entry beside which the certification request is kept, and its address there. */
  readonly log_idx: number;
  readonly address: Uint8Array;
  readonly secret_id: string | null;
  readonly challenge: 'static' | 'workflow' | null;
  readonly seen_at: number;
}

export interface RateLimitRow {
  /** `source:`, `device:` or `template:` and the name. */
  readonly key: string;
  /** The only fraction in the schema: limits count in parts of a millisecond. */
  readonly tat: number;
}

export interface OperatorRow {
  readonly name: string;
  readonly token_hash: Uint8Array;
  readonly created_at: number;
}

export interface MachineRow {
  readonly name: string;
  readonly scopes: JsonText<readonly MachineScope[]>;
  readonly templates: JsonText<readonly string[]>;
  /** Ranges of addresses; null: any that the listener takes. */
  readonly sources: JsonText<readonly string[]> | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly revoked_at: number | null;
}

export interface MachineTokenRow {
  readonly hash: Uint8Array;
  readonly machine: string;
  readonly created_at: number;
  /** Earlier than it was given for, once another one took its place. */
  readonly expires_at: number;
}

/** A client certificate as it is, and no other of its key or names. */
export interface MachineCertificateRow {
  readonly sha256: string;
  readonly machine: string;
  readonly pinned_at: number;
  readonly unpinned_at: number | null;
}

export interface LogEntryRow {
  /** Its place (place.ts): in the first log of a database, its index. */
  readonly idx: number;
  /** The entry's own id. An entry of the same id may follow: the newest is meant. */
  readonly id: string;
  readonly leaf_hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Bytes that the entry names by SHA-256(salt || bytes). */
export interface BlobRow {
  /** Place of that entry. */
  readonly log_idx: number;
  readonly address: Uint8Array;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** One row. Whoever appends moves it from the size that was read. */
export interface LogHeadRow {
  readonly id: number;
  /** Of the log that is written, among those of the database. */
  readonly number: number;
  readonly origin: string;
  readonly size: number;
  /** CompactRange, serialised. */
  readonly hashes: Uint8Array;
}

/** A log that ended when a backup of it was restored: its head, and the note that was signed over all of it. */
export interface EarlierLogRow {
  readonly number: number;
  readonly origin: string;
  readonly size: number;
  readonly hashes: Uint8Array;
  readonly note: string;
}

/** Evidence, and the one request that it counts for. */
export interface EvidenceRow {
  readonly sha256: string;
  readonly device_id: string;
  readonly template: string;
  readonly spki: string;
  /** 1: it held the nonce that was in force. */
  readonly fresh: number;
  /** That was issued on it; null: none was yet. */
  readonly certificate: string | null;
  /** What got none is forgotten once no request can wait for so long. */
  readonly seen_at: number;
  /** What a verifier outside said of it; null: it was examined here, or its device is erased. */
  readonly examination: JsonText<Examination> | null;
}

/** Of a device, by evidence of one format, when a certificate was last issued on some. */
export interface EvidenceVersionRow {
  readonly device_id: string;
  readonly format: string;
  readonly versions: JsonText<EvidenceVersions>;
  /** The first that was issued on these. */
  readonly certificate: string;
}

/** A device that got a certificate by this key. */
export interface AttestationKeyDeviceRow {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly device_id: string;
  readonly format: string;
  /** The first. */
  readonly certificate: string;
}

/** A certificate that was presented for a second key. */
export interface LineageContestRow {
  readonly presented: string;
  readonly device_id: string;
  readonly template: string;
  /** The certificate for whose branch an operator has decided; null: nobody has. */
  readonly settled: string | null;
  readonly opened_at: number;
}
