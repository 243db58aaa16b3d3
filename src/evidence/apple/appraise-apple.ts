import type { EvidenceFault } from '../examination.ts';
import { reachesVersion } from '../numeric-version.ts';
import { objectUnless } from '../objection.ts';
import type { AppleClaims } from './claims.ts';
import type { AppleReference } from './reference.ts';

export function appraiseApple(claims: AppleClaims, reference: AppleReference): readonly EvidenceFault[] {
  const { minimumOsVersion, minimumSepOsVersion } = reference;
  return [
    ...objectUnless(
      minimumOsVersion === null || reachesVersion(claims.osVersion, minimumOsVersion),
      'apple-os-version',
      `OS version ${claims.osVersion ?? 'unknown'} is below ${minimumOsVersion}`,
    ),
    ...objectUnless(
      minimumSepOsVersion === null || reachesVersion(claims.sepOsVersion, minimumSepOsVersion),
      'apple-sepos-version',
      `sepOS version ${claims.sepOsVersion ?? 'unknown'} is below ${minimumSepOsVersion}`,
    ),
    ...objectUnless(
      !reference.requireSystemIntegrityProtection || claims.systemIntegrityProtection === 'enabled',
      'apple-system-integrity-protection',
      `System Integrity Protection is ${claims.systemIntegrityProtection ?? 'not attested'}`,
    ),
    ...objectUnless(
      !reference.requireFullSecurity || claims.secureBoot === 'full',
      'apple-secure-boot',
      `secure boot is ${claims.secureBoot ?? 'not attested'}`,
    ),
    ...objectUnless(
      !reference.forbidThirdPartyKernelExtensions || claims.thirdPartyKernelExtensions === 'forbidden',
      'apple-kernel-extensions',
      `third-party kernel extensions are ${claims.thirdPartyKernelExtensions ?? 'not attested'}`,
    ),
  ];
}
