import { sameName } from '#x509';
import type { LintRule } from './lint-rule.ts';

/** "Self-issued certificates are CA certificates in which the issuer and subject are the same entity." */
export const subjectNotIssuer: LintRule = {
  id: 'subject-not-issuer',
  source: 'RFC 5280 section 3.2',
  check: ({ certificate }) =>
    sameName(certificate.subject, certificate.issuer) ? "subject is the issuer's own name" : null,
};
