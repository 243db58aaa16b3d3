import { criticalityProblem, sameMembers } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

export const extendedKeyUsage: LintRule = {
  id: 'extended-key-usage',
  source: 'RFC 5280 section 4.2.1.12',
  check({ certificate, plan }) {
    const purposes = certificate.extendedKeyUsage ?? [];
    if (purposes.length === 0) return 'extendedKeyUsage names no purpose';
    if (!sameMembers(purposes, plan.template.extendedKeyUsage)) {
      return "extendedKeyUsage is not the template's";
    }
    return criticalityProblem(certificate, 'extendedKeyUsage', false);
  },
};
