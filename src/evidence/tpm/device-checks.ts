import type { EvidenceFault } from '../examination.ts';
import type { TpmReference } from './reference.ts';
import type { TpmDevice } from './tpm-device.ts';

/** What an operator asks of the kind of TPM. */
export type DeviceReference = Pick<
  TpmReference,
  'unregisteredManufacturers' | 'manufacturers' | 'minimumVersions'
>;

export type DeviceCheck = (
  claims: { readonly device: TpmDevice | null },
  reference: DeviceReference,
) => EvidenceFault | null;

export const deviceChecks: readonly DeviceCheck[] = [
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
