import type { AdminStore } from '#admin';
import type { LogStore } from '#audit';
import type { AttesterObservation, AttesterQuery } from '#enrollment';
import type { DeviceState } from '#inventory';
import { placeOf } from './place.ts';
import type { LostCertificateRow } from './schema.ts';
import type {
  AccountRecord,
  AcmeCounts,
  AuthorizationRecord,
  ExternalAccountKeyRecord,
} from './operations/acme-records.ts';
import type { AbandonedSerial } from './operations/crl.ts';
import type { ApprovalRecord, SecretRecord } from './operations/grants.ts';
import type { WholeCertificate } from './operations/certificates.ts';
import type { OwnCertificate } from './operations/own-certificates.ts';
import { logStore, type Perform, revokedInParts } from './stores.ts';

/** The database as it was when it was opened, read beside the process that serves it. */
export interface ReadOnlyStorage {
  readonly log: Omit<LogStore, 'saveNote' | 'saveSinkCursor'>;
  origin(): Promise<string>;
  references(digest: string): Promise<Uint8Array | null>;
  policies(digest: string): Promise<string | null>;
  /** In the order of their issuance. */
  certificates(): AsyncIterable<WholeCertificate>;
  /** In the order of the ids; null for what is not there. */
  secrets(ids: readonly string[]): Promise<readonly (SecretRecord | null)[]>;
  secretCount(): Promise<number>;
  approvals(ids: readonly string[]): Promise<readonly (ApprovalRecord | null)[]>;
  /** In the order of the ids; null for what is not there. */
  externalAccountKeys(ids: readonly string[]): Promise<readonly (ExternalAccountKeyRecord | null)[]>;
  /** The id of one that whoever has this name made, and nobody has used up; null: there is none. */
  liveExternalAccountKeyBy(name: string): Promise<string | null>;
  /** In the order of the ids; null for what is not there. */
  accounts(ids: readonly string[]): Promise<readonly (AccountRecord | null)[]>;
  /** In the order of the ids; null for what is not there. */
  authorizations(ids: readonly string[]): Promise<readonly (AuthorizationRecord | null)[]>;
  acmeCounts(): Promise<AcmeCounts>;
  /** null: there is no such device. */
  deviceState(id: string): Promise<DeviceState | null>;
  /** Of signatures that may exist, and of which nothing was delivered. */
  abandonedIntents(): AsyncIterable<AbandonedSerial>;
  /** null: nothing is known of it. */
  attester(query: AttesterQuery): Promise<AttesterObservation | null>;
  /** Issued after a backup that was restored. */
  lostCertificates(): Promise<readonly LostCertificateRow[]>;
  /** Of RAs and listeners, expired or not. */
  ownCertificates(): Promise<readonly OwnCertificate[]>;
  /** All that was ever revoked of that issuer, expired or not. */
  revoked(issuer: string): ReturnType<AdminStore['revoked']>;
  /** The newest list of that issuer; null: there is none. */
  crl(issuer: string): ReturnType<AdminStore['crl']>;
  close(): Promise<void>;
}

const rowsAtOnce = 500;

/** All that is performed must be of one moment: head, entries and certificates. */
export function readOnlyStorage(perform: Perform, close: () => Promise<void>): ReadOnlyStorage {
  const { saveNote: _note, saveSinkCursor: _cursor, ...log } = logStore(perform);
  return {
    log,
    origin: async () => (await perform('readHead', null)).origin,
    references: (digest) => perform('references', { digest }),
    policies: (digest) => perform('policies', { digest }),
    async *certificates() {
      let afterPlace = -1;
      for (;;) {
        const page = await perform('nextCertificates', { afterPlace, limit: rowsAtOnce });
        yield* page;
        const last = page.at(-1);
        if (last === undefined) return;
        afterPlace = placeOf(last.log, last.logIndex);
      }
    },
    secrets: (ids) => perform('secretRecords', { ids }),
    secretCount: () => perform('secretCount', null),
    approvals: (ids) => perform('approvalRecords', { ids }),
    externalAccountKeys: (ids) => perform('externalAccountKeyRecords', { ids }),
    async liveExternalAccountKeyBy(by) {
      const keys = await perform('externalAccountKeysOfMachine', { by, state: 'live', limit: 1 });
      return keys.at(0)?.id ?? null;
    },
    accounts: (ids) => perform('accountRecords', { ids }),
    authorizations: (ids) => perform('authorizationRecords', { ids }),
    acmeCounts: () => perform('acmeCounts', null),
    deviceState: async (id) => (await perform('device', { id }))?.state ?? null,
    async *abandonedIntents() {
      let after = '';
      for (;;) {
        const page = await perform('nextAbandoned', { after, limit: rowsAtOnce });
        yield* page;
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.id;
      }
    },
    attester: (query) => perform('attester', query),
    lostCertificates: () => perform('lostCertificates', null),
    ownCertificates: () => perform('ownCertificates', null),
    revoked: (issuer) => revokedInParts(perform, issuer, 0),
    crl: (issuer) => perform('crl', { issuer }),
    close,
  };
}
