import type { KeyPurpose, VerifiedBootState } from './claims.ts';

/** null, or an empty list of purposes: nothing is asked. */
export interface AndroidReference {
  /** `verified` is a maker's own system; `self-signed` needs `verifiedBootKeys`. */
  readonly verifiedBootStates: readonly VerifiedBootState[];
  /** Hexadecimal: by it systems that an operator knows, such as GrapheneOS, are told from all others. null: any that a maker has verified. */
  readonly verifiedBootKeys: readonly string[] | null;
  /** Anybody who holds such a device can install another system. */
  readonly dangerouslyAllowUnlocked: boolean;
  /** YYYYMM or YYYYMMDD, as all of these. */
  readonly minimumOsPatchLevel: number | null;
  readonly minimumVendorPatchLevel: number | null;
  readonly minimumBootPatchLevel: number | null;
  readonly minimumAttestationVersion: number | null;
  /** Keys of the factory are shared by many devices, and have leaked. */
  readonly requireRemoteProvisioning: boolean;
  /** What the key must be for. */
  readonly purposes: readonly KeyPurpose[];
  /** KeyMint's implementations that do not write DER's order are refused. */
  readonly requireTagOrder: boolean;
}
