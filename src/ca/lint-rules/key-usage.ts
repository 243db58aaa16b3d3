import { usagesFor } from '../key-usage.ts';
import { criticalityProblem, sameMembers } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

/** At least one bit, and of the template's usages exactly those that the key can have. */
export const keyUsage: LintRule = {
  id: 'key-usage',
  source: 'RFC 5280 section 4.2.1.3, RFC 8813 section 3, RFC 9295 section 3, RFC 9881 section 5',
  check({ algorithm, certificate, plan }) {
    const usages = certificate.keyUsage ?? [];
    if (usages.length === 0) return 'keyUsage names no usage';
    if (!sameMembers(usages, usagesFor(plan.template.keyUsage, algorithm))) {
      return `keyUsage (${usages.join(', ')}) is not the template's for a key of kind ${algorithm}`;
    }
    return criticalityProblem(certificate, 'keyUsage', true);
  },
};
