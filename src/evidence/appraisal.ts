import type { AndroidReference } from './android/reference.ts';
import type { AppleReference } from './apple/reference.ts';
import type { AssuranceLevel, EvidenceFormat } from './evidence.ts';
import type { EvidenceFault } from './examination.ts';
import type { ExternalReference } from './external/reference.ts';
import type { StepReference } from './step/reference.ts';
import type { DeviceReference } from './tpm/device-checks.ts';
import type { TpmReference } from './tpm/reference.ts';

/** Roots that an operator trusts for one format, and the level that they stand for where the evidence itself does not say it. */
export interface TrustAnchors {
  readonly name: string;
  readonly format: EvidenceFormat;
  /** Of what stands below them: null where the evidence says. */
  readonly level: AssuranceLevel | null;
  /** DER in base64. */
  readonly roots: readonly string[];
  /** Intermediates for devices that do not send them: they are trusted for nothing by themselves. DER in base64. */
  readonly intermediates: readonly string[];
}

/** Reference values (RFC 9334 section 8.3): what evidence of one format must say for devices of one class. */
export interface ReferenceValues {
  readonly anchors: readonly TrustAnchors[];
  /** null: any level that the evidence or its anchors give, but `software`, which has to be named. */
  readonly levels: readonly AssuranceLevel[] | null;
  /** How old the issuer's list of revoked certificates may be. Absent: none is asked for; what one that is there lists is refused all the same. */
  readonly maximumStatusAgeSeconds?: number;
  readonly tpm?: TpmReference;
  readonly endorsement?: DeviceReference;
  readonly apple?: AppleReference;
  readonly android?: AndroidReference;
  readonly step?: StepReference;
  readonly external?: ExternalReference;
}

/** Certificates that whoever issued them takes back. An observation too: the list in force when the evidence came. */
export interface RevocationStatus {
  /** SHA-256 of the list, hexadecimal. */
  readonly list: string;
  /** When the list was taken, milliseconds since 1970. */
  readonly at: number;
  /** Of the certificates of the evidence, by serial number in lower-case hexadecimal without leading zeros. */
  readonly revoked: readonly { readonly serialNumber: string; readonly status: string }[];
}

/** The same by lists that each issuer signs of its own certificates (CRLs). */
export interface IssuerLists {
  readonly issuers: readonly IssuerList[];
  /** false: there are more that might be about certificates of the evidence. */
  readonly complete: boolean;
}

/** Digests are SHA-256, hexadecimal; times milliseconds since 1970. */
export interface IssuerList {
  readonly list: string;
  /** Of the SubjectPublicKeyInfo that its signature is by. */
  readonly signer: string;
  /** Of the issuer's name in the one form that all names have that match it; in older entries of its DER. */
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Of the certificates of the evidence, and of intermediates that they may lead to. */
  readonly revoked: readonly { readonly serialNumber: string; readonly certificate: string }[];
}

/** RFC 9334 section 4.2. Nothing is left to trust where `objections` is not empty. */
export interface AttestationResult {
  /** The anchors that vouch for it; null: none does. */
  readonly anchors: string | null;
  readonly level: AssuranceLevel | null;
  /** Every check that failed, not the first alone. */
  readonly objections: readonly EvidenceFault[];
}
