import type { EvidenceFault } from '../examination.ts';
import { objectUnless } from '../objection.ts';
import type { AndroidClaims, RootOfTrust, SecurityLevel } from './claims.ts';
import type { AndroidReference } from './reference.ts';

export function appraiseAndroid(
  claims: AndroidClaims,
  reference: AndroidReference,
): readonly EvidenceFault[] {
  const { provisioning, purposes } = claims;
  return [
    ...objectUnless(
      provisioning !== null,
      'android-provisioning',
      'the chain is neither of the factory nor remotely provisioned',
    ),
    ...objectUnless(
      !reference.requireRemoteProvisioning || provisioning === 'remote',
      'android-remote-provisioning',
      'the attestation key is not remotely provisioned',
    ),
    ...objectUnless(
      levelsAgree(claims),
      'android-security-level',
      'attestation, key and chain are not of one security level',
    ),
    ...objectUnless(
      claims.origin === 'generated',
      'android-origin',
      'the key was not generated in the hardware',
    ),
    ...bootObjections(claims.rootOfTrust, reference),
    ...patchObjections(claims, reference),
    ...objectUnless(
      claims.attestationVersion >= (reference.minimumAttestationVersion ?? 0),
      'android-attestation-version',
      `attestation version ${claims.attestationVersion} is too old`,
    ),
    ...objectUnless(
      reference.purposes.every((each) => purposes.includes(each)),
      'android-purpose',
      `the key is for ${purposes.join(', ') || 'nothing'}`,
    ),
    ...objectUnless(
      !reference.requireTagOrder || claims.tagsInOrder,
      'android-tag-order',
      'the tags of a list do not ascend',
    ),
  ];
}

/** The lower of the two that a KeyDescription has: it is worth no more than what signs it, and no more than what keeps the key. */
export function androidLevel({
  attestationSecurityLevel,
  keyMintSecurityLevel,
}: AndroidClaims): SecurityLevel {
  const levels = [attestationSecurityLevel, keyMintSecurityLevel];
  if (levels.includes('software')) return 'software';
  return levels.includes('tee') ? 'tee' : 'strongbox';
}

/** Chains of a StrongBox say so, so that the leaked key of a TEE cannot. */
function levelsAgree({
  attestationSecurityLevel: level,
  keyMintSecurityLevel,
  chainSecurityLevel,
}: AndroidClaims): boolean {
  const unsaid = chainSecurityLevel === null && level !== 'strongbox';
  return level === keyMintSecurityLevel && (unsaid || level === chainSecurityLevel);
}

function bootObjections(root: RootOfTrust | null, reference: AndroidReference): readonly EvidenceFault[] {
  if (root === null) {
    return [{ check: 'android-root-of-trust', detail: 'nothing is said of the system that was booted' }];
  }
  const { verifiedBootState, verifiedBootKey } = root;
  const keys = reference.verifiedBootKeys;
  return [
    ...objectUnless(
      reference.verifiedBootStates.includes(verifiedBootState),
      'android-boot-state',
      `the system that was booted is ${verifiedBootState}`,
    ),
    ...objectUnless(
      keys === null ? verifiedBootState !== 'self-signed' : keys.includes(verifiedBootKey),
      'android-boot-key',
      `the system that was booted is of the unknown key ${verifiedBootKey}`,
    ),
    ...objectUnless(
      root.deviceLocked || reference.dangerouslyAllowUnlocked,
      'android-unlocked',
      'the bootloader is unlocked',
    ),
  ];
}

function patchObjections(claims: AndroidClaims, reference: AndroidReference): readonly EvidenceFault[] {
  const { osPatchLevel, vendorPatchLevel, bootPatchLevel } = claims;
  return [
    ...patchObjection(osPatchLevel, reference.minimumOsPatchLevel, 'android-os-patch'),
    ...patchObjection(vendorPatchLevel, reference.minimumVendorPatchLevel, 'android-vendor-patch'),
    ...patchObjection(bootPatchLevel, reference.minimumBootPatchLevel, 'android-boot-patch'),
  ];
}

function patchObjection(
  level: number | null,
  minimum: number | null,
  check: string,
): readonly EvidenceFault[] {
  const reached = minimum === null || (level !== null && withDay(level) >= withDay(minimum));
  return objectUnless(reached, check, `patch level ${level ?? 'unknown'} is below ${minimum}`);
}

/** Some write a month where others write a day; it is older than each day of it. */
function withDay(level: number): number {
  return level < 1_000_000 ? level * 100 : level;
}
