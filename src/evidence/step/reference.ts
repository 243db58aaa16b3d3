import type { FormFactor, PinPolicy, TouchPolicy } from './claims.ts';

/** null: nothing is asked. Where something is, devices that are no YubiKey are refused, for they say nothing of it. */
export interface StepReference {
  /**
   * Numbers with dots. Below 5.7 an EC key can be taken out of a YubiKey that somebody has in hand (Yubico's advisory YSA-2024-03, EUCLEAK): 5.7.0
   * is the floor to have.
   */
  readonly minimumFirmware: string | null;
  readonly pinPolicies: readonly PinPolicy[] | null;
  readonly touchPolicies: readonly TouchPolicy[] | null;
  readonly formFactors: readonly FormFactor[] | null;
}
