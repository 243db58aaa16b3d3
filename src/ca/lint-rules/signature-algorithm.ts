import { equalBytes, signatureAlgorithmIdentifier } from '#x509';
import type { LintRule } from './lint-rule.ts';

export const signatureAlgorithm: LintRule = {
  id: 'signature-algorithm',
  source: 'RFC 5280 section 4.1.2.3',
  check: ({ certificate, issuer }) =>
    equalBytes(certificate.signatureAlgorithmDer, signatureAlgorithmIdentifier(issuer.key.algorithm))
      ? null
      : "signature algorithm is not that of the issuer's key",
};
