import type { AssuranceLevel } from '../evidence.ts';

export type SecurityLevel = Extract<AssuranceLevel, 'software' | 'tee' | 'strongbox'>;

export const keyPurposes = [
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'derive',
  'wrap',
  'agree',
  'attest',
] as const;
export type KeyPurpose = (typeof keyPurposes)[number];

export const keyOrigins = ['generated', 'derived', 'imported', 'reserved', 'securely-imported'] as const;
export type KeyOrigin = (typeof keyOrigins)[number];

export const verifiedBootStates = ['verified', 'self-signed', 'unverified', 'failed'] as const;
export type VerifiedBootState = (typeof verifiedBootStates)[number];

export interface RootOfTrust {
  /** Hexadecimal. */
  readonly verifiedBootKey: string;
  readonly deviceLocked: boolean;
  readonly verifiedBootState: VerifiedBootState;
  readonly verifiedBootHash: string | null;
}

/**
 * What a KeyDescription and its chain say. From `origin` on it is of hardwareEnforced alone: anything that runs on the device can write into
 * softwareEnforced.
 */
export interface AndroidClaims {
  readonly format: 'android-key';
  readonly attestationVersion: number;
  readonly attestationSecurityLevel: SecurityLevel;
  readonly keyMintVersion: number;
  readonly keyMintSecurityLevel: SecurityLevel;
  /** Where the chain has the level; null: it does not say, as old ones of a TEE do not. */
  readonly chainSecurityLevel: SecurityLevel | null;
  /** How the attestation key came to the device, as the names of its chain have it; null: in neither way. */
  readonly provisioning: 'factory' | 'remote' | null;
  /** Whether the tags of both lists ascend. */
  readonly tagsInOrder: boolean;
  readonly origin: KeyOrigin | null;
  /** By name, and by number where they have none. */
  readonly purposes: readonly string[];
  readonly rootOfTrust: RootOfTrust | null;
  readonly osVersion: number | null;
  /** YYYYMM, or YYYYMMDD. null: none, or none that is a date. */
  readonly osPatchLevel: number | null;
  readonly vendorPatchLevel: number | null;
  readonly bootPatchLevel: number | null;
  readonly brand: string | null;
  readonly device: string | null;
  readonly product: string | null;
  readonly manufacturer: string | null;
  readonly model: string | null;
}
