import type { NewEntry } from '#audit';
import type { EvidenceSeen, IndexRange, LogPosition, RequestSummary } from '#enrollment';
import type { Device, DeviceState } from '#inventory';
import type { Objection } from '#policy';
import type { GeneralName, Name } from '#x509';
import type { ExternalAccountStore } from './external-account-store.ts';
import type { MachineStore } from './machine-store.ts';

/**
 * What operators' acts ask of the store. Each act is atomic and durable together with its log entry, which the caller
 * made beforehand (`entry`). Throws 'not-found', 'conflict' (nothing was changed).
 */
export interface AdminStore extends MachineStore, ExternalAccountStore {
  /** Devices that exist already are changed to what the list says, their state excepted. */
  importDevices(act: {
    devices: readonly Device[];
    /** Each takes the place of the device's open ones as with `approveDevice`; a device that was active already gets none. */
    approve: { approvals: readonly NewApproval[] } | null;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition & { created: number; updated: number; approved: number }>;
  /** Which of these ids exist already, and what of these devices another one has. */
  compareDevices(devices: readonly Device[]): Promise<{
    existing: readonly { id: string; state: DeviceState }[];
    conflicts: readonly {
      id: string;
      column: 'serialNumber' | 'ekSha256';
      value: string;
      heldBy: string;
    }[];
  }>;
  devices(filter: {
    state?: DeviceState;
    deviceClass?: string;
    after?: string;
    limit: number;
  }): Promise<readonly StoredDevice[]>;
  device(id: string): Promise<StoredDevice | null>;
  /** No two devices have the same; none is found by an empty one. */
  deviceBySerialNumber(serialNumber: string): Promise<StoredDevice | null>;
  /** Keys that attest, those by which the most devices got certificates first, each with so many of its devices. */
  attestationKeys(filter: { limit: number; devices: number }): Promise<readonly AttestationKeyInfo[]>;
  /** Retiring voids the device's open secrets, its approvals and its external account keys, spent ones too, and denies its pending requests in the same act. */
  setDeviceState(act: { id: string; state: DeviceState; now: number; entry: NewEntry }): Promise<LogPosition>;
  /**
   * Takes a retired device out of everything that has its name: documents and kept requests beside these entries go, certificates issued by them lose their bytes and
   * keep digest, serial number, validity and revocation, and the device becomes `as`, of which nothing is known but class and times. Throws 'conflict', and has changed nothing,
   * where the device is not retired, an intent of it is open, an entry that names it came since `lookedThrough`, or not exactly `blobs` were beside the entries.
   */
  eraseDevice(act: {
    id: string;
    as: string;
    /** By the number of their log. */
    entries: readonly { readonly log: number; readonly indexes: readonly IndexRange[] }[];
    blobs: number;
    /** Size of the log that is written, when it was looked through. */
    lookedThrough: number;
    now: number;
    /** The first entry's index is returned. */
    acts: readonly NewEntry[];
  }): Promise<LogPosition & { certificates: number }>;
  /** Voids the device's open approvals for any key (`spki` null) and the same template, where this is one too. */
  approveDevice(act: { approval: NewApproval; now: number; entry: NewEntry }): Promise<LogPosition>;

  /** `nonce`: what evidence is to hold that comes with it. */
  createSecret(act: { secret: NewSecret; nonce?: Uint8Array | null; entry: NewEntry }): Promise<LogPosition>;
  /** For no device. Throws 'conflict' where `maximumLive` of them are live, unexpired, of the same maker (a machine) and template. */
  createUnboundSecret(act: { secret: NewSecret; maximumLive: number; entry: NewEntry }): Promise<LogPosition>;
  secrets(filter: {
    deviceId?: string;
    state?: SecretState;
    after?: string;
    limit: number;
  }): Promise<readonly StoredSecret[]>;
  secret(id: string): Promise<StoredSecret | null>;
  /** Those that a machine made, by its name in the log (`machine:…`). */
  secretsOfMachine(filter: {
    by: string;
    deviceId?: string;
    state?: SecretState;
    after?: string;
    limit: number;
  }): Promise<readonly StoredSecret[]>;
  /** Only live and reserved secrets can be voided. */
  voidSecret(act: { id: string; now: number; entry: NewEntry }): Promise<LogPosition>;

  requests(filter: {
    state?: RequestState;
    after?: string;
    limit: number;
  }): Promise<readonly StoredRequest[]>;
  request(id: string): Promise<StoredRequest | null>;
  /**
   * pending -> approved, with an approval for the request's device, template, key, names and evidence that lifts its objections. It takes in what was approved before, and of that
   * the controls `ofEvidence` where they were lifted for evidence that says the same.
   */
  approveRequest(act: {
    id: string;
    approval: NewApproval;
    ofEvidence: readonly string[];
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** pending -> denied; voids the reserved secret. */
  denyRequest(act: { id: string; by: string; now: number; entry: NewEntry }): Promise<LogPosition>;
  /** One that nobody decided in time, or that was approved and never collected. Voids the secret reserved for it. Throws 'conflict' for any other. */
  endRequest(act: { id: string; now: number; entry: NewEntry }): Promise<LogPosition>;
  /** What polls would need of requests that nobody has polled for since. */
  forgetPolled(before: number): Promise<void>;

  certificates(filter: {
    deviceId?: string;
    template?: string;
    state?: 'current' | 'revoked' | 'expired';
    after?: string;
    now: number;
    limit: number;
  }): Promise<readonly StoredCertificateInfo[]>;
  /** By serial number or SHA-256, in hex. */
  certificateInfo(id: string): Promise<(StoredCertificateInfo & { der: Uint8Array }) | null>;
  revokeCertificate(act: {
    sha256: string;
    reason: number;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;

  operatorByTokenHash(hash: Uint8Array): Promise<{ name: string } | null>;
  createOperator(act: {
    name: string;
    tokenHash: Uint8Array;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;

  /** All revoked and unexpired certificates of an issuer (and those expired since `since`), for its CRL; in parts, each as it is when it is read. */
  revoked(
    issuer: string,
    since: number,
    partLength?: number,
  ): AsyncIterable<readonly { serialNumber: string; revokedAt: number; reason: number }[]>;
  /** How many `revoked` would list. */
  revokedCount(issuer: string, since: number): Promise<number>;
  crl(issuer: string): Promise<(StoredCrlInfo & { der: Uint8Array }) | null>;
  /** The same without its bytes, which may be many millions. */
  crlInfo(issuer: string): Promise<StoredCrlInfo | null>;
  saveCrl(act: {
    issuer: string;
    number: bigint;
    /** Of the CRL that was the newest before the list was read; null: there was none. */
    previous: bigint | null;
    der: Uint8Array;
    listed: number;
    thisUpdate: number;
    nextUpdate: number;
    entry: NewEntry;
  }): Promise<LogPosition>;

  /** Those of an issuer that are neither revoked nor expired, the one that ends last first. */
  raCertificates(issuer: string, now: number): Promise<readonly StoredRaCertificate[]>;
  saveRaCertificate(act: {
    issuer: string;
    certificate: StoredRaCertificate;
    /** Serial number of the one that was found first before; null: there was none. */
    newest: string | null;
    /** Of another key, which is no longer ours to use: revoked with it. */
    replaced: readonly { serialNumber: string; reason: number }[];
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;

  /** Those of a listener that are neither revoked nor expired, of whichever issuer, the one that ends last first. */
  listenerCertificates(holder: ListenerHolder, now: number): Promise<readonly StoredListenerCertificate[]>;
  /** All or none. Throws 'conflict' where a listener has got another one since. */
  saveListenerCertificates(
    acts: readonly {
      holder: ListenerHolder;
      certificate: StoredListenerCertificate;
      /** Serial numbers of those that were found before. */
      known: readonly string[];
      /** Of another key, which is no longer in use: revoked with it. */
      replaced: readonly { issuer: string; serialNumber: string; reason: number }[];
      now: number;
      entry: NewEntry;
    }[],
  ): Promise<readonly LogPosition[]>;

  /** Bodies under their digests, for replay. Saving again is no error. */
  saveReferences(digest: string, body: Uint8Array): Promise<void>;
  savePolicies(digest: string, text: string): Promise<void>;
  references(digest: string): Promise<Uint8Array | null>;
  policies(digest: string): Promise<string | null>;

  /** Open intents whose lease has ended, oldest first. */
  expiredIntents(now: number, limit: number): Promise<readonly AbandonedIntent[]>;
  /**
   * Closes an intent that is still open as abandoned, frees its approval, and stores its serial as revoked (no certificate is known, and the
   * signature may exist). Its secret stays reserved for the same request. Throws 'conflict' when it is closed already.
   */
  abandonIntent(act: { id: string; now: number; entry: NewEntry }): Promise<LogPosition>;
  /** Work that one node does for all: takes its lease where that is free or has ended, or prolongs one's own. False: another holds it. */
  takeLease(lease: { name: string; holder: string; now: number; until: number }): Promise<boolean>;
  /** Takes the name of a node for one process where it is free or has ended, or prolongs it, with what that process judges by. */
  holdNode(act: NodeAct): Promise<NodeStanding>;
  /** Gives the name back, if that process has it. */
  releaseNode(held: { name: string; holder: string }): Promise<void>;
}

/** What a node judges by, as digests. */
export interface NodeInForce {
  readonly name: string;
  readonly references: string;
  readonly policies: string;
}

export interface NodeAct extends NodeInForce {
  /** The process. */
  readonly holder: string;
  readonly now: number;
  readonly until: number;
}

export interface NodeStanding {
  /** Another process has the name until then; null: the one that asked has it. */
  readonly takenUntil: number | null;
  /** Those that live, and until when they have their names, by their own clocks; none where the name is another's. */
  readonly others: readonly (NodeInForce & { readonly until: number })[];
}

export interface StoredRaCertificate {
  readonly serialNumber: string;
  /** SHA-256 of its key, lower-case hex. */
  readonly spki: string;
  /** Milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly der: Uint8Array;
}

/** A listener, of the node whose key it has; an empty name where there is one process. */
export interface ListenerHolder {
  readonly node: string;
  readonly listener: string;
}

export interface StoredListenerCertificate extends StoredRaCertificate {
  readonly issuer: string;
}

export interface StoredCrlInfo {
  readonly number: bigint;
  /** Of its DER. */
  readonly octets: number;
  /** Serial numbers on it; null: nobody counted. */
  readonly listed: number | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

export interface AbandonedIntent {
  readonly id: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly deviceId: string;
  readonly template: string;
}

export type SecretState = 'live' | 'reserved' | 'spent' | 'void';
export type RequestState = 'pending' | 'approved' | 'denied' | 'issued';

export interface NewApproval {
  readonly id: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string | null;
  readonly names: string | null;
  readonly lifts: readonly string[];
  /** What was seen under the request; null: none that was verified, or there is no request yet. */
  readonly evidence: EvidenceSeen | null;
  readonly by: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface NewSecret {
  readonly id: string;
  readonly mac: Uint8Array;
  readonly macKeyId: string;
  /** null: for no device yet; whoever brings it says for which. */
  readonly deviceId: string | null;
  readonly template: string;
  readonly expected: {
    readonly subject: Name | null;
    readonly subjectAltName: readonly GeneralName[] | null;
  } | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly by: string;
}

export interface StoredDevice extends Device {
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface StoredSecret extends Omit<NewSecret, 'mac'> {
  readonly state: SecretState;
}

export interface StoredRequest {
  readonly id: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
  readonly state: RequestState;
  readonly objections: readonly Objection[];
  readonly summary: RequestSummary;
  /** That it opened with; what says the same comes under the same request. */
  readonly evidence: EvidenceSeen | null;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
}

export interface StoredCertificateInfo {
  readonly issuer: string;
  readonly serialNumber: string;
  readonly sha256: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly predecessor: string | null;
  readonly revokedAt: number | null;
  readonly revocationReason: number | null;
  /** Number of the log that recorded it, among those of the database: another one begins after a restore. */
  readonly log: number;
  readonly logIndex: number;
}

export interface AttestationKeyInfo {
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly format: string;
  readonly devices: number;
  /** The first of them, by their ids. */
  readonly deviceIds: readonly string[];
}
