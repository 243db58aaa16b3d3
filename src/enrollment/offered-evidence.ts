import {
  attestingKeyOf,
  type Evidence,
  type EvidenceFormat,
  type Examination,
  type ExternalEvidence,
  type IssuerLists,
  issuerListsOf,
  type ListedFormat,
  type OpenedEvidence,
  openEvidence,
  recordableLists,
  type RevocationStatus,
  type RevocationList,
  revocationStatusOf,
  type StatusList,
  type TrustAnchors,
} from '#evidence';
import type { Certificate } from '#x509';
import { sha256Hex } from './digests.ts';
import type { Authority } from './authority.ts';
import { isSignedBy, parsedIfAny } from './issuing-certificate.ts';
import type { AttesterObservation, EvidenceObservation } from './observations.ts';
import type { AttesterQuery } from './evidence-store.ts';
import type { StoreObservation } from './store.ts';

/** Evidence that came with a request, or before it for its order. */
export interface OfferedEvidence {
  readonly sha256: string;
  /** Of the first of its certificates, that of the key that attests; null: it has none that can be read. */
  readonly attester: AttesterQuery | null;
  /** What is read elsewhere, and by nobody yet; null: there is nothing to ask. */
  readonly external: ExternalEvidence | null;
  readonly format: EvidenceFormat | null;
  /** SHA-256 of the key in the hardware that vouches for the attested one; null: there is none, or it was not sent. */
  readonly attestingKey: string | null;
  /** `nonce`: the one that is in force for who asks; null: none is. */
  examined(nonce: Uint8Array | null): Examination;
}

/** What came with its request. Which nonce it is to hold is known when its device is. */
export class UnseenEvidence implements OfferedEvidence {
  readonly #opened: OpenedEvidence;
  readonly attester: AttesterQuery | null;
  readonly format: EvidenceFormat | null;
  readonly attestingKey: string | null;

  constructor(evidence: Evidence) {
    this.#opened = openEvidence(evidence);
    this.attester = attesterOf(this.#opened);
    const seen = this.examined(null);
    this.format = seen.format;
    this.attestingKey = attestingKeyOf(seen);
  }

  get sha256(): string {
    return this.#opened.sha256;
  }

  get external(): ExternalEvidence | null {
    return this.#opened.external;
  }

  examined(nonce: Uint8Array | null): Examination {
    return recordable(this.#opened.examined(nonce === null ? null : { toBeSigned: nonce, token: nonce }));
  }
}

/** What was examined when it came, as a challenge of ACME is answered before its order is finalized. */
export class SeenEvidence implements OfferedEvidence {
  readonly external = null;
  readonly #examination: Examination;

  constructor(examination: Examination) {
    this.#examination = examination;
  }

  get attester(): AttesterQuery | null {
    return attesterOf(this.#examination);
  }

  get format(): EvidenceFormat | null {
    return this.#examination.format;
  }

  get attestingKey(): string | null {
    return attestingKeyOf(this.#examination);
  }

  get sha256(): string {
    return this.#examination.sha256;
  }

  examined(): Examination {
    return this.#examination;
  }
}

/** Of an entry's 64 KiB, beside the request and a client certificate. */
const maximumRecordedBytes = 20 * 1024;

/** What cannot be recorded is not judged by: of evidence that says so much, that alone is left. */
export function recordable(examination: Examination): Examination {
  const octets = Buffer.byteLength(JSON.stringify(examination));
  if (octets <= maximumRecordedBytes) return examination;
  const fault = {
    check: 'too-large',
    detail: `it says ${octets} octets, and ${maximumRecordedBytes} are recorded`,
  };
  return { ...examination, fault, certificates: [], statement: null };
}

/** By what its issuer has signed of the certificate. */
export function attesterOf(examination: Pick<Examination, 'certificates'>): AttesterQuery | null {
  const certificate = certificateOfAttester(examination);
  return certificate && { spki: sha256Hex(certificate.spki), serialNumber: certificate.serialNumber };
}

function certificateOfAttester({
  certificates: [first],
}: Pick<Examination, 'certificates'>): Certificate | null {
  return first === undefined ? null : (parsedIfAny(Buffer.from(first, 'base64'))[0] ?? null);
}

/** By format, what issuers of keys that attest have revoked. */
export type StatusLists = {
  readonly [Format in EvidenceFormat]?: Format extends ListedFormat ? ListsOfIssuers : ListOfKeys;
};

/** `at`: when that was taken, milliseconds since the epoch; `stamp`: as in FileOfLists. */
interface ListOfKeys {
  readonly list: StatusList;
  readonly at: number;
  readonly stamp: string;
}

export interface ListsOfIssuers {
  readonly lists: readonly RevocationList[];
  /** Of the roots of the format, which devices need not send. */
  readonly intermediates: readonly Certificate[];
  /** By path, of which the lists are. */
  readonly files: ReadonlyMap<string, FileOfLists>;
  /** Whose CAs have signed them. */
  readonly anchors: readonly TrustAnchors[];
}

/** `stamp`: by which one that was changed is known. */
export interface FileOfLists {
  readonly stamp: string;
  readonly lists: readonly RevocationList[];
}

/** What layers see of evidence, with what the store knows of it. */
export function evidenceObservation(
  examination: Examination,
  authority: Pick<Authority, 'statusLists'> & Issuing,
  {
    earlierEvidence,
    attester,
    versions,
    attestingKey,
  }: Pick<StoreObservation, 'earlierEvidence' | 'attester' | 'versions' | 'attestingKey'>,
): EvidenceObservation {
  return {
    offered: [examination.format ?? 'unknown'],
    examination,
    status: recordableStatus(statusOf(examination, authority.statusLists)),
    earlier: earlierEvidence,
    attester: attesterAsKnown(attester, examination, issuersOf(authority)),
    versions,
    attestingKey,
  };
}

/** Of an authority, the certificates of its issuers in force. */
interface Issuing {
  readonly issuers: ReadonlyMap<string, { readonly issuer: { readonly certificate: Certificate } }>;
}

function issuersOf({ issuers }: Issuing): readonly Certificate[] {
  return [...issuers.values()].map(({ issuer }) => issuer.certificate);
}

/** What an issuer in force has signed is known, or it was lost with a database, and may have been taken back; what stands above an issuer may be another authority's. */
export function attesterAsKnown(
  known: AttesterObservation | null,
  examination: Examination,
  issuers: readonly Certificate[],
): AttesterObservation | null {
  if (known !== null) return known;
  const certificate = certificateOfAttester(examination);
  const isOurs = certificate !== null && issuers.some((issuer) => isSignedBy(certificate, issuer));
  return isOurs ? { deviceId: null, revoked: false, unknown: true } : null;
}

/** null: there is no list for its format, or nothing that one could be asked about. */
export function statusOf(
  examination: Examination,
  lists: StatusLists,
): RevocationStatus | IssuerLists | null {
  const { format, statement } = examination;
  const taken = format === null || statement === null ? undefined : lists[format];
  if (taken === undefined) return null;
  return 'lists' in taken
    ? issuerListsOf(taken.lists, taken.intermediates, examination)
    : revocationStatusOf(taken.list, examination, taken.at);
}

function recordableStatus(status: ReturnType<typeof statusOf>): ReturnType<typeof statusOf> {
  return status !== null && 'issuers' in status ? recordableLists(status) : status;
}

/** As it is kept for the same request again: that it was fresh is that request's to say, and no later one's. */
export function withoutFreshness(examination: Examination): Examination {
  const { statement } = examination;
  return { ...examination, statement: statement === null ? null : { ...statement, fresh: null } };
}
