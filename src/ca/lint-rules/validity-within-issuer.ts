import type { LintRule } from './lint-rule.ts';

/** The shell model of path validation: nothing outlives what vouches for it. */
export const validityWithinIssuer: LintRule = {
  id: 'validity-within-issuer',
  source: 'RFC 5280 section 6.1.3 (a) (2)',
  check: ({ certificate, issuer }) =>
    certificate.notBefore >= issuer.certificate.notBefore &&
    certificate.notAfter <= issuer.certificate.notAfter
      ? null
      : "validity is not within the issuer's",
};
