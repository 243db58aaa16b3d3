import type { EvidenceFault } from '../examination.ts';
import type { TpmClaims } from './claims.ts';
import { deviceChecks } from './device-checks.ts';
import type { TpmReference } from './reference.ts';

/** What only a TPM's evidence can be objected to. Pure; every check that fails. */
export function appraiseTpm(claims: TpmClaims, reference: TpmReference): readonly EvidenceFault[] {
  return checks.flatMap((check) => check(claims, reference) ?? []);
}

type Check = (claims: TpmClaims, reference: TpmReference) => EvidenceFault | null;

const checks: readonly Check[] = [
  ({ hash }, { sha1 }) =>
    hash === 'sha1' && !sha1 ? { check: 'tpm-sha1', detail: 'the attestation is signed with SHA-1' } : null,

  ...deviceChecks,

  ({ attributes, authPolicy }, { authPolicies }) =>
    authPolicies !== null &&
    (attributes.includes('userWithAuth') || authPolicy === null || !authPolicies.includes(authPolicy))
      ? { check: 'tpm-auth-policy', detail: 'the key can be used without one of the policies' }
      : null,
];
