import { equalBytes, keyIdentifier } from '#x509';
import { criticalityProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

export const authorityKeyIdentifier: LintRule = {
  id: 'authority-key-identifier',
  source: 'RFC 5280 section 4.2.1.1',
  check({ certificate, issuer }) {
    const identifier = certificate.authorityKeyIdentifier;
    if (identifier === null) return 'authorityKeyIdentifier is absent';
    const expected = issuer.certificate.subjectKeyIdentifier ?? keyIdentifier(issuer.certificate.spki);
    if (!equalBytes(identifier, expected)) return "authorityKeyIdentifier is not the issuer's";
    return criticalityProblem(certificate, 'authorityKeyIdentifier', false);
  },
};
