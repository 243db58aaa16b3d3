import type { EvidenceFault } from '../examination.ts';
import { reachesVersion } from '../numeric-version.ts';
import { objectUnless } from '../objection.ts';
import type { StepClaims } from './claims.ts';
import type { StepReference } from './reference.ts';

export function appraiseStep(claims: StepClaims, reference: StepReference): readonly EvidenceFault[] {
  const { minimumFirmware } = reference;
  return [
    ...objectUnless(
      minimumFirmware === null || reachesVersion(claims.firmware, minimumFirmware),
      'step-firmware',
      `firmware ${claims.firmware ?? 'unknown'} is below ${minimumFirmware}`,
    ),
    ...objectUnless(
      isAmong(claims.pinPolicy, reference.pinPolicies),
      'step-pin-policy',
      `the PIN policy of the key is ${claims.pinPolicy ?? 'unknown'}`,
    ),
    ...objectUnless(
      isAmong(claims.touchPolicy, reference.touchPolicies),
      'step-touch-policy',
      `the touch policy of the key is ${claims.touchPolicy ?? 'unknown'}`,
    ),
    ...objectUnless(
      isAmong(claims.formFactor, reference.formFactors),
      'step-form-factor',
      `the form factor is ${claims.formFactor ?? 'unknown'}`,
    ),
  ];
}

function isAmong<T>(value: T | null, allowed: readonly T[] | null): boolean {
  return allowed === null || (value !== null && allowed.includes(value));
}
