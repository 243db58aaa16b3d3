import type { EvidenceFault } from '../examination.ts';
import type { TpmClaims } from './claims.ts';
import type { TpmReference } from './reference.ts';

/** What only a TPM's evidence can be objected to. Pure; every check that fails. */
export function appraiseTpm(claims: TpmClaims, reference: TpmReference): readonly EvidenceFault[] {
  return checks.flatMap((check) => check(claims, reference) ?? []);
}

type Check = (claims: TpmClaims, reference: TpmReference) => EvidenceFault | null;

const checks: readonly Check[] = [
  ({ hash }, { sha1 }) =>
    hash === 'sha1' && !sha1 ? { check: 'tpm-sha1', detail: 'the attestation is signed with SHA-1' } : null,

  ({ device }, { unregisteredManufacturers }) =>
    device !== null && !device.registered && !unregisteredManufacturers
      ? {
          check: 'tpm-unregistered',
          detail: `TCG knows no manufacturer ${device.manufacturer}: such a TPM is software`,
        }
      : null,

  ({ device }, { manufacturers }) =>
    manufacturers !== null && (device === null || !manufacturers.includes(device.manufacturer))
      ? {
          check: 'tpm-manufacturer',
          detail: `not of ${device?.manufacturer ?? 'a manufacturer that says so'}`,
        }
      : null,

  ({ device }, { minimumVersions }) => {
    const least =
      device === null ? Object.values(minimumVersions)[0] : minimumOf(device.manufacturer, minimumVersions);
    if (least === undefined || (device !== null && isAtLeast(device.version, least))) return null;
    return {
      check: 'tpm-version-floor',
      detail: `version ${device?.version ?? 'unknown'}, not ${least} or later`,
    };
  },

  ({ attributes, authPolicy }, { authPolicies }) =>
    authPolicies !== null &&
    (attributes.includes('userWithAuth') || authPolicy === null || !authPolicies.includes(authPolicy))
      ? { check: 'tpm-auth-policy', detail: 'the key can be used without one of the policies' }
      : null,
];

function minimumOf(
  manufacturer: string,
  minimumVersions: TpmReference['minimumVersions'],
): string | undefined {
  return Object.hasOwn(minimumVersions, manufacturer) ? minimumVersions[manufacturer] : undefined;
}

/** Makers have written versions of fewer digits, whose order nobody knows: none of them is late enough. */
function isAtLeast(version: string, least: string): boolean {
  const digits = /^[0-9A-F]{8}$/i;
  return (
    digits.test(version) && digits.test(least) && Number.parseInt(version, 16) >= Number.parseInt(least, 16)
  );
}
