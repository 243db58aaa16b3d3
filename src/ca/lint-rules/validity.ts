import type { LintRule } from './lint-rule.ts';

export const validity: LintRule = {
  id: 'validity',
  source: 'RFC 5280 section 4.1.2.5',
  check: ({ certificate }) =>
    certificate.notBefore < certificate.notAfter ? null : 'notBefore is not before notAfter',
};
