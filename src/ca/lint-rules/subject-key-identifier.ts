import { equalBytes, keyIdentifier } from '#x509';
import { criticalityProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

export const subjectKeyIdentifier: LintRule = {
  id: 'subject-key-identifier',
  source: 'RFC 5280 section 4.2.1.2',
  check({ certificate }) {
    const identifier = certificate.subjectKeyIdentifier;
    if (identifier === null) return 'subjectKeyIdentifier is absent';
    if (!equalBytes(identifier, keyIdentifier(certificate.spki))) {
      return 'subjectKeyIdentifier is not the hash of the public key';
    }
    return criticalityProblem(certificate, 'subjectKeyIdentifier', false);
  },
};
