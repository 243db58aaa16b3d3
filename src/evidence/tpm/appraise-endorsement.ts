import type { EvidenceFault } from '../examination.ts';
import type { EndorsementClaims } from './claims.ts';
import { deviceChecks, type DeviceReference } from './device-checks.ts';

/** What only an endorsement key can be objected to: the certificate of an attestation key names the TPM as its manufacturer does. */
export function appraiseEndorsement(
  claims: EndorsementClaims,
  reference: DeviceReference,
): readonly EvidenceFault[] {
  const unnamed = {
    check: 'ek-certificate-san',
    detail: 'no one manufacturer, model and version of a TPM in the SAN',
  };
  return [
    ...(claims.device === null ? [unnamed] : []),
    ...deviceChecks.flatMap((check) => check(claims, reference) ?? []),
  ];
}
