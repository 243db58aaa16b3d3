import type { Claims } from './examination.ts';
import { isNumericVersion, reachesVersion } from './numeric-version.ts';
import type { TpmDevice } from './tpm/tpm-device.ts';

/** What evidence says of the software and firmware of its device, by name: numbers with dots, so that any two of one name compare. */
export type EvidenceVersions = Readonly<Record<string, string>>;

/** Those that can be compared: what is not said, or in a form whose order nobody knows, is absent. */
export function versionsOf(claims: Claims): EvidenceVersions {
  const said = Object.entries(versionsSaid(claims));
  return Object.fromEntries(said.filter((each): each is [string, string] => isNumericVersion(each[1])));
}

/** Names of those that are lower than before, or are not said any more. What was never said before is no matter. */
export function versionsThatWentBack(before: EvidenceVersions, now: EvidenceVersions): readonly string[] {
  return Object.keys(before).filter((name) => {
    const version = Object.hasOwn(now, name) ? now[name]! : null;
    return version !== before[name] && !reachesVersion(version, before[name]!);
  });
}

function versionsSaid(claims: Claims): Readonly<Record<string, string | null>> {
  switch (claims.format) {
    case 'android-key':
      return {
        osVersion: claims.osVersion === null ? null : String(claims.osVersion),
        osPatchLevel: dotted(claims.osPatchLevel),
        vendorPatchLevel: dotted(claims.vendorPatchLevel),
        bootPatchLevel: dotted(claims.bootPatchLevel),
      };
    case 'apple':
      return {
        osVersion: claims.osVersion,
        sepOsVersion: claims.sepOsVersion,
        llbVersion: claims.llbVersion,
      };
    case 'step':
      return { firmware: claims.firmware };
    // Not `firmwareVersion` of what the TPM signs, which it disguises for most keys.
    case 'tpm':
    case 'idevid':
    case 'endorsement':
      return { firmware: firmwareOf(claims.device) };
    // Of what a verifier outside reads, it has the versions.
    case 'external':
      return {};
  }
}

/** YYYYMM or YYYYMMDD: a month is older than each of its days. */
function dotted(level: number | null): string | null {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})?$/.exec(String(level)) ?? [];
  if (year === undefined) return null;
  return [year, month, day].filter((part) => part !== undefined).join('.');
}

/** Makers have written versions of fewer digits, whose order nobody knows. */
function firmwareOf(device: TpmDevice | null): string | null {
  const [, major, minor] = /^([0-9A-F]{4})([0-9A-F]{4})$/i.exec(device?.version ?? '') ?? [];
  if (major === undefined || minor === undefined) return null;
  return `${Number.parseInt(major, 16)}.${Number.parseInt(minor, 16)}`;
}
