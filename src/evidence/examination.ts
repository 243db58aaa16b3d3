import type { AndroidClaims } from './android/claims.ts';
import type { AppleClaims } from './apple/claims.ts';
import type { EvidenceFormat, Nonce } from './evidence.ts';
import type { ExternalClaims } from './external/claims.ts';
import type { StepClaims } from './step/claims.ts';
import type { EndorsementClaims, TpmClaims } from './tpm/claims.ts';

/**
 * What the verifier saw in evidence. Plain values, and nothing that depends on whom an operator trusts, on what suffices, or on the time: those
 * are asked by `appraise`, again and again if need be.
 */
export interface Examination {
  /** SHA-256 of the evidence, hexadecimal: it is kept under this name. */
  readonly sha256: string;
  /** What the evidence calls itself; null where it could not be read so far. */
  readonly format: EvidenceFormat | null;
  /** The first check that failed; what is null below was not reached. */
  readonly fault: EvidenceFault | null;
  /** DER in base64, the leaf first, the others as they were sent. Nobody vouches for them yet. */
  readonly certificates: readonly string[];
  readonly statement: Statement | null;
}

export interface EvidenceFault {
  /** Stable name of the check, such as `tpm-name`. */
  readonly check: string;
  /** For the operator, in words. Names no secret; a client never sees it. */
  readonly detail: string;
}

/** Of evidence whose signatures and encodings hold. */
export interface Statement {
  /** SHA-256 of the attested key's SubjectPublicKeyInfo, hexadecimal. */
  readonly spki: string;
  /** Whether it holds the nonce that we gave; null where none was given. */
  readonly fresh: boolean | null;
  readonly identities: EvidenceIdentities;
  readonly claims: Claims;
}

/** A statement that was read before anybody knew which nonce it is to hold. */
export interface ReadStatement {
  readonly content: Omit<Statement, 'fresh'>;
  /** Whether it holds this nonce. Throws as readers do, where a signature over it is wrong. */
  isFresh(nonce: Nonce): boolean;
}

/** How the evidence names the device, text as it stands there. Absent: it does not. */
export interface EvidenceIdentities {
  readonly serialNumber?: string;
  /** Apple's. */
  readonly udid?: string;
  /** The mobile equipment identities that Android attests. */
  readonly imei?: readonly string[];
  /** RFC 4043: value, and the OID of who assigns it where it names one. */
  readonly permanentIdentifier?: { readonly value: string; readonly assigner: string | null };
  /** RFC 4108: serial number as text or `hex:` and its octets, as identities of devices have it. */
  readonly hardwareModule?: { readonly type: string; readonly serialNumber: string };
  /** SHA-256 of the endorsement key's SubjectPublicKeyInfo, hexadecimal. */
  readonly endorsementKey?: string;
  /** The same of the attestation key, where a certificate speaks for it. */
  readonly attestationKey?: string;
}

export type Claims =
  | TpmClaims
  | EndorsementClaims
  | AppleClaims
  | AndroidClaims
  | StepClaims
  | ExternalClaims;

/** The names of those that a class can choose among. */
export const evidenceIdentities = [
  'serialNumber',
  'udid',
  'imei',
  'permanentIdentifier',
  'hardwareModule',
  'attestationKey',
] as const satisfies readonly (keyof EvidenceIdentities)[];
