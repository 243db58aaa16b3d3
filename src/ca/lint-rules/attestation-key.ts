import { extendedKeyUsages } from '#x509';
import { certifiesAttestationKeys } from '../attestation-key-names.ts';
import type { LintRule } from './lint-rule.ts';

/** Who is believed of a TPM by such a certificate could say anything with a key that is not restricted: none is issued but by an activation. */
export const attestationKey: LintRule = {
  id: 'attestation-key',
  source: 'TCG EK Credential Profile, WebAuthn Level 3 section 8.3.1',
  check({ certificate, plan }) {
    const { extendedKeyUsage } = certificate;
    const attests = extendedKeyUsage?.includes(extendedKeyUsages.tcgAttestationIdentityKey) ?? false;
    return attests === certifiesAttestationKeys(plan.template)
      ? null
      : 'tcgAttestationIdentityKey is for keys that were activated, and for no others';
  },
};
