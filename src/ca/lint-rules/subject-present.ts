import type { LintRule } from './lint-rule.ts';

export const subjectPresent: LintRule = {
  id: 'subject-present',
  source: 'RFC 5280 section 4.1.2.6',
  check: ({ certificate }) =>
    certificate.subject.length > 0 || certificate.subjectAltName.length > 0
      ? null
      : 'neither subject nor subjectAltName names anything',
};
