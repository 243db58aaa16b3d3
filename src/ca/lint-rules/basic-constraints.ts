import { criticalityProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

/** Present and critical, with cA absent: DER leaves out what is the default. The parser refuses a path length then. */
export const basicConstraints: LintRule = {
  id: 'basic-constraints',
  source: 'RFC 5280 section 4.2.1.9',
  check({ certificate }) {
    if (certificate.isCa) return 'certifies a certification authority';
    return criticalityProblem(certificate, 'basicConstraints', true);
  },
};
