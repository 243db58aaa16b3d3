import { foundExtension } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

/** Critical where the subject is empty; "SHOULD mark the subjectAltName extension as non-critical" otherwise. */
export const subjectAltNameCritical: LintRule = {
  id: 'subject-alt-name-critical',
  source: 'RFC 5280 section 4.2.1.6',
  check({ certificate }) {
    const found = foundExtension(certificate, 'subjectAltName');
    if (found === undefined || found.critical === (certificate.subject.length === 0)) return null;
    return found.critical
      ? 'subjectAltName is critical beside a subject'
      : 'subjectAltName is not critical beside an empty subject';
  },
};
