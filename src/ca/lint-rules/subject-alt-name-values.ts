import { isDeviceName } from '#x509';
import { areAttestationKeyNames, certifiesAttestationKeys } from '../attestation-key-names.ts';
import { canonicalRequestedName } from '../alternative-name.ts';
import type { LintRule } from './lint-rule.ts';

/** dns, uri, email and ip only, each in its one canonical spelling; a wildcard where the template has a rule that admits them, a device by its hardware where the template says so. An attestation key has names of its own. */
export const subjectAltNameValues: LintRule = {
  id: 'subject-alt-name-values',
  source: 'RFC 5280 sections 4.2.1.6, 7.2 and 7.5, RFC 1034 section 3.5',
  check({ certificate, plan }) {
    if (certifiesAttestationKeys(plan.template)) {
      return areAttestationKeyNames(certificate.subjectAltName)
        ? null
        : 'subjectAltName names something else than a device, its TPM and its endorsement key';
    }
    const { subjectAltName } = certificate;
    // An order of a device names one.
    const device =
      plan.template.acme?.embedIdentifier === true ? subjectAltName.find(isDeviceName) : undefined;
    const wildcards = plan.template.request.subjectAltName.some(({ wildcard }) => wildcard === true);
    const strange = subjectAltName.find((name) => {
      if (name === device) return false;
      const canonical = canonicalRequestedName(name);
      if (canonical === null || canonical.value !== name.value) return true;
      return canonical.value.startsWith('*.') && !wildcards;
    });
    return strange === undefined ? null : `subjectAltName has a ${strange.kind} that is not a valid one`;
  },
};
