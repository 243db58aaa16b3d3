import type { NewEntry } from '#audit';
import type { EvidenceFormat, EvidenceVersions, Examination } from '#evidence';
import type { Device, DeviceState } from '#inventory';
import type { RateLimit } from '#limits';
import type { Objection } from '#policy';
import type { Der, GeneralName, Name } from '#x509';
import type { AttesterQuery, UsedEvidence } from './evidence-store.ts';
import type {
  AttesterObservation,
  AttestingKeyObservation,
  EarlierEvidence,
  EvidenceSeen,
  LineageObservation,
  OrderObservation,
  PresenterObservation,
} from './observations.ts';
import type { VerifierSpending } from './verifier-limit.ts';

/**
 * What enrollment asks of the store. Each method is one atomic operation; those that return a LogPosition are durable
 * (synced) when they resolve, and their entry is in the log in the same transaction as the state it records.
 * Errors: SallyportError 'store' (nothing was changed, or the outcome is unknown and the caller must deny), 'conflict'.
 * Times are milliseconds since the epoch; digests lower-case hex SHA-256.
 */
export interface EnrollmentStore {
  /** Spends one from the source's limit when it conforms. Not durable by itself: a crash may forget the last moments. */
  admit(query: { sourceKey: string; limit: RateLimit; now: number }): Promise<{ tat: number | null }>;
  /** One reading of all that the layers need. Changes nothing. */
  observe(query: ObserveQuery): Promise<StoreObservation>;
  /**
   * Appends an entry, keeps what it names beside it, and changes nothing else. Throws 'conflict' where one of the devices that it names was erased.
   */
  record(entry: NewEntry, naming?: readonly string[]): Promise<LogPosition>;
  /**
   * Reserves the secret (when given) for key and names, opens or refreshes the pending request, appends the entry. `request` is the pending
   * request's id: that of whoever first asked for these names, with these objections; with others it is another request, and the earlier one
   * ends, so that nobody approves what they have not seen. Opening one spends from the device's limit, or the contestant's. Throws 'conflict' when the secret is no
   * longer what was observed, or the limit is spent.
   */
  hold(record: HoldRecord): Promise<LogPosition & { readonly request: string; readonly firstSeen: number }>;
  /** What was asked for, of a request that was held and is polled for (RFC 8894 section 3.3.3). null: no such key asked in this transaction. */
  polled(query: PollKey & { readonly template: string }): Promise<PolledRequest | null>;
  /**
   * Before the key is used: stores the intent under its lease, reserves the secret, takes the approval, spends device and template limits.
   * `conflict` when the device, the presenter, the secret, the approval, the key or a limit is no longer what was observed: then nothing was
   * changed; observe again.
   */
  reserve(intent: Intent): Promise<'reserved' | 'conflict'>;
  /**
   * Closes the still open intent, stores the certificate, spends the secret, uses up the approval, ends the pending request, makes an
   * `expected` device `active`, appends the entry. Throws 'conflict' when the intent is no longer open, or the device was suspended or the
   * predecessor revoked meanwhile: then deliver nothing; the sweep will revoke the serial.
   */
  close(record: IssuedRecord): Promise<LogPosition>;
  /** Revokes what was issued and must not leave. Throws 'conflict' where it is revoked already. */
  withdraw(act: { sha256: string; reason: number; now: number; entry: NewEntry }): Promise<LogPosition>;
  /** The certificate, for delivering it again. */
  certificate(sha256: string): Promise<(StoredCertificate & { readonly undelivered: boolean }) | null>;
  /** Keeps it in place of the one before, for who presents this secret or certificate where that is ours; appends the entry. */
  giveNonce(
    act: Pick<ObserveQuery, 'secretMacs' | 'presenterSha256' | 'now'> & {
      /** The certificate is of an identity from elsewhere, and in no store of ours. */
      readonly isVouchedFor: boolean;
      readonly nonce: Uint8Array;
      readonly expiresAt: number;
      readonly entry: NewEntry;
    },
  ): Promise<LogPosition>;
  /** Nonces that have expired. */
  forgetEvidenceNonces(now: number): Promise<void>;
  /** Spends one of the questions that who presents this may have a verifier asked, when it conforms. */
  spendVerifierRate(spending: VerifierSpending): Promise<{ conforms: boolean; tat: number | null }>;
  /** Evidence that came until then, and got no certificate. */
  forgetWaitingEvidence(before: number): Promise<void>;
  /** The devices that have one of these keys, each once. */
  devicesBy(keys: readonly DeviceKey[]): Promise<readonly Pick<Device, 'id' | 'deviceClass' | 'state'>[]>;
  /** By SHA-256 of the endorsement key's SubjectPublicKeyInfo. */
  deviceOfEndorsementKey(sha256: string): Promise<EndorsedDevice>;
  /**
   * Keeps what a TPM was asked to prove, under the MAC of the secret by which it will; appends the entry. Of a device there are never many: the oldest goes of the
   * source that asked most. Throws 'not-found' where the device was erased.
   */
  giveActivation(
    act: GivenActivation & {
      readonly mac: Uint8Array;
      readonly macKeyId: string;
      readonly template: string;
      /** As the limit of sources counts. */
      readonly source: string;
      readonly entry: NewEntry;
    },
  ): Promise<LogPosition>;
  /** Takes it away, whoever asks: nobody has it twice. null: there is none of this template with one of these MACs. */
  takeActivation(query: {
    readonly macs: readonly Uint8Array[];
    readonly template: string;
  }): Promise<GivenActivation | null>;
  /** Ids of the MAC keys under which activations of the template wait that have not ended by then. */
  activationKeys(query: { readonly template: string; readonly now: number }): Promise<readonly string[]>;
  /** Those that had ended by then. */
  forgetActivations(before: number): Promise<void>;
  /** It leaves now: from here on somebody may have it. */
  delivered(sha256: string): Promise<void>;
}

/** The device of an endorsement key. `disputing`: so many were imported with it before each key had to be of one. */
export type EndorsedDevice =
  | { readonly deviceId: string }
  | { readonly deviceId: null; readonly disputing: number };

/** An attestation key that the TPM of an endorsement key was asked to prove. */
export interface GivenActivation {
  readonly deviceId: string;
  /** Of the attestation key. */
  readonly spki: Der;
  /** What was seen of both keys. */
  readonly examination: Examination;
  /** In which they came; null: of an earlier version, which kept it beside the log already. */
  readonly message: Uint8Array | null;
  readonly expiresAt: number;
}

export interface LogPosition {
  readonly index: number;
}

export interface ObserveQuery {
  /** MACs of the presented secret under each MAC key in force; empty for none presented. */
  readonly secretMacs: readonly Uint8Array[];
  readonly userName: string | null;
  readonly presenterSha256: string | null;
  /** What an identity from elsewhere names the device by, or the request beside a challenge or a secret that is for no device yet; null where none is presented. */
  readonly identity: DeviceKey | null;
  /** An ACME order, and the account that asks for it. */
  readonly order: { readonly id: string; readonly account: string } | null;
  /** SHA-256 of the evidence that came with the request; null: none did. */
  readonly evidence: string | null;
  /** null: it has no certificate. */
  readonly attester: AttesterQuery | null;
  /** Of the evidence; null: none came, or none that can be read. */
  readonly evidenceFormat: EvidenceFormat | null;
  /** SHA-256 of the key in the hardware that vouches for the attested one; null: there is none, or it was not sent. */
  readonly attestingKey: string | null;
  /** Of the request's own key. */
  readonly spki: string;
  readonly template: string;
  /** A static challenge was presented. */
  readonly staticChallenge: boolean;
  readonly now: number;
}

/** One value that names a device of the inventory. */
export interface DeviceKey {
  readonly column: 'id' | 'serialNumber';
  readonly value: string;
}

export interface StoreObservation {
  readonly secret: {
    readonly id: string;
    /** null: it is for no device yet. */
    readonly deviceId: string | null;
    readonly template: string;
    readonly expected: {
      readonly subject: Name | null;
      readonly subjectAltName: readonly GeneralName[] | null;
    } | null;
    readonly state: 'live' | 'reserved' | 'spent' | 'void';
    readonly expiresAt: number;
    readonly reservedFor: { readonly spki: string; readonly names: string } | null;
    /** SHA-256 of the certificate it was spent for, while neither revoked nor expired. */
    readonly certificate: string | null;
  } | null;
  /** The device id equal to the user name, where there is one. */
  readonly userNameDevice: string | null;
  readonly presenter: PresenterObservation['record'];
  /** null: none was asked for, or there is none of this account. Its certificate while it is current. */
  readonly order: OrderObservation | null;
  /** Of the order where there is one, else of the secret where one was presented (null when unknown), else of the presenter. */
  readonly device: {
    readonly id: string;
    readonly serialNumber: string | null;
    readonly deviceClass: string;
    readonly state: DeviceState;
    readonly identifiers: Readonly<Record<string, string>>;
  } | null;
  /** Another device has or had a certificate for this public key. */
  readonly keyShared: boolean;
  /** The newest open, unexpired approval of this device and template, for this key or for any. One for this key goes first. */
  readonly approval: {
    readonly id: string;
    readonly spki: string | null;
    readonly names: string | null;
    readonly lifts: readonly string[];
    /** Of the request that was approved; null: it had none that was verified, it was approved before this was kept, or the approval was given beforehand. */
    readonly evidence: EvidenceSeen | null;
    readonly createdAt: number;
    readonly expiresAt: number;
    readonly by: string;
  } | null;
  /** That was given out for evidence to hold, to who presents this secret or certificate; null: none is in force. */
  readonly nonce: Uint8Array | null;
  /** What came of the same evidence before; null: nobody has seen it. */
  readonly earlierEvidence: EarlierEvidence | null;
  /** What a verifier outside said of the same evidence when it came with this same request; null: none was asked then. */
  readonly verifiedEvidence: Examination | null;
  /** null: none was asked for, or nothing is known of it. */
  readonly attester: AttesterObservation | null;
  /** What evidence of this format said of the device when a certificate was last issued on it; null: none was. */
  readonly versions: EvidenceVersions | null;
  /** Of the key that was asked for; null: none was, or there is no device. */
  readonly attestingKey: AttestingKeyObservation | null;
  /** What operators denied to this device, template and key, by the names asked for; the newest first, no more than ten. */
  readonly denials: readonly { readonly names: string; readonly at: number }[];
  /** The device has a current certificate (neither revoked nor expired) of this template for another key. Of an order of names: false, since its owner has one for each set of them. */
  readonly otherKeyCurrent: boolean;
  /** The newest current certificate that this key got already for this device and template: as the successor of the presenter where that is in our store, otherwise as a first certificate. `names` as in the intent that it came from. */
  readonly issued: { readonly sha256: string; readonly names: string } | null;
  /** Of the presenter where that is in our store, for the device, template and key; null: there is none, or an order has one. */
  readonly lineage: LineageObservation | null;
  /** Of key `device:<id>`, `template:<name>`, `challenge:<template>` where that was asked, and `presented:<sha256>` where its lineage is contested; null: it is not. */
  readonly rates: {
    readonly device: number | null;
    readonly template: number | null;
    readonly presented: { readonly tat: number | null } | null;
    readonly challenge: number | null;
  };
}

/** By what a poll is of a request: digests of the key that signs, and of the transactionID. */
export interface PollKey {
  readonly signer: string;
  readonly transaction: string;
}

export interface PolledRequest {
  /** As it is kept beside the log: without its challengePassword, so that its signature does not verify any more. */
  readonly certificationRequest: Uint8Array;
  /** Of the secret that came with it; null: none did. */
  readonly secretMac: Uint8Array | null;
  /** The challenge that held when it came; null: none did, and what authenticated it was a secret or a certificate. */
  readonly challenge: 'static' | 'workflow' | null;
}

export interface HoldRecord {
  readonly requestId: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
  readonly secretId: string | null;
  readonly objections: readonly Objection[];
  /** A request that waits is work for people. `device`: of the device, or of the contestant. */
  readonly limits: Pick<Intent['limits'], 'device' | 'challenge'>;
  /** For the operator's eyes: protocol, source address, subject and SAN asked for and to be issued, key. */
  readonly summary: RequestSummary;
  /** Where its protocol polls; `address`: of the certification request that is kept beside the entry. */
  readonly polled:
    | (PollKey & {
        readonly address: Uint8Array;
        readonly secretId: string | null;
        readonly challenge: PolledRequest['challenge'];
      })
    | null;
  /** The ACME order that it is for. */
  readonly order: KeptOrder | null;
  readonly evidence: UsedEvidence | null;
  /** What an operator sees of it, and approves; null: it has none that is verified. */
  readonly seen: EvidenceSeen | null;
  /** SHA-256 of a certificate that was presented, and was renewed to another key before: from here on none of its branches goes on until an operator has decided for one. */
  readonly contested: string | null;
  /** SHA-256 of the certificate that was presented, where its lineage is why the request waits: it is charged to that. null: to the device. */
  readonly contestant: string | null;
  readonly now: number;
  readonly entry: NewEntry;
}

/** `address`: of the certification request that is kept beside the entry. */
export interface KeptOrder {
  readonly id: string;
  readonly address: Uint8Array;
}

export interface RequestSummary {
  readonly protocol: string;
  readonly operation: string;
  readonly address: string;
  readonly action: 'enroll' | 'renew';
  readonly subject: string;
  readonly subjectAltName: readonly string[];
  readonly keyAlgorithm: string;
}

export interface Intent {
  readonly id: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly tbsSha256: string;
  readonly deviceId: string;
  readonly seen: DeviceAsSeen;
  readonly template: string;
  /** Of the key that is certified. */
  readonly spki: string;
  /** Of the request's own key, to which secret, approval and pending request are bound. Another one only where the authority makes the key. */
  readonly requestSpki: string;
  readonly names: string;
  /** The device was seen to have no current certificate of this template for another key than `spki`, and must still have none, nor an open intent for one. */
  readonly fresh: boolean;
  /** State in which the secret was observed; reserving fails when it is another now. */
  readonly secret: { readonly id: string; readonly state: 'live' | 'reserved' } | null;
  readonly approvalId: string | null;
  /** The ACME order that it is for: it must have no certificate yet, and no other open intent, and what its account may must be as it was. */
  readonly order: string | null;
  /** SHA-256 of the certificate that is renewed; it must still be unrevoked. */
  readonly predecessor: string | null;
  /** Of a predecessor that was presented; it must not have come to be contested. */
  readonly lineage: LineageSeen | null;
  readonly evidence: UsedEvidence | null;
  readonly limits: {
    readonly device: RateLimit;
    readonly template: RateLimit;
    /** Of the template's static challenge; null where none was presented. */
    readonly challenge: RateLimit | null;
  };
  readonly leaseUntil: number;
  readonly now: number;
}

/** Whether it was renewed to another key before, and whether its branch is contested. Where either is so, an operator has approved: that decides for this branch. */
export interface LineageSeen {
  readonly forked: boolean;
  readonly contested: boolean;
}

/** What the verdict rests on in the inventory: where an operator has changed it since, nothing is reserved and nothing issued. */
export interface DeviceAsSeen {
  readonly serialNumber: string | null;
  readonly deviceClass: string;
  readonly identifiers: Readonly<Record<string, string>>;
}

export interface IssuedRecord {
  readonly intentId: string;
  readonly requestId: string;
  readonly requestSpki: string;
  readonly certificate: StoredCertificate;
  /** It waits for a workflow's word before it leaves. */
  readonly undelivered: boolean;
  readonly seen: DeviceAsSeen;
  readonly lineage: LineageSeen | null;
  readonly secretId: string | null;
  readonly approvalId: string | null;
  /** What a workflow keeps back is asked for again, with the same request. */
  readonly order: KeptOrder | null;
  readonly evidence: UsedEvidence | null;
  /**
   * What the request's own key was seen to have got already, as the successor of this certificate or as a first one; it must still be that: the
   * same request may be under way on another node. null where a secret or an order decides that, or where the authority makes the key.
   */
  readonly issuedBefore: { readonly predecessor: string | null; readonly sha256: string | null } | null;
  readonly now: number;
  readonly entry: NewEntry;
}

export interface StoredCertificate {
  readonly issuer: string;
  readonly serialNumber: string;
  readonly sha256: string;
  readonly der: Uint8Array;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  /** Digest of its names (digests.ts). */
  readonly names: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the certificate that this one renews. */
  readonly predecessor: string | null;
}
