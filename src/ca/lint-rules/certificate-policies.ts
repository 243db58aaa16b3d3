import { encodeCertificatePolicies } from '#x509';
import { remembered } from '../remembered.ts';
import { plannedExtensionProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

const encoded = remembered(encodeCertificatePolicies);

export const certificatePolicies: LintRule = {
  id: 'certificate-policies',
  source: 'RFC 5280 section 4.2.1.4',
  check: ({ certificate, plan: { template } }) =>
    plannedExtensionProblem(
      certificate,
      'certificatePolicies',
      template.policies.length > 0 ? encoded(template.policies) : null,
    ),
};
