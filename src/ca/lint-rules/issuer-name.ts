import { equalBytes } from '#x509';
import type { LintRule } from './lint-rule.ts';

/** Byte for byte: path validation may compare no other way (RFC 5280 section 7.1, RFC 4518). */
export const issuerName: LintRule = {
  id: 'issuer-name',
  source: 'RFC 5280 section 4.1.2.4',
  check: ({ certificate, issuer }) =>
    equalBytes(certificate.issuerDer, issuer.certificate.subjectDer)
      ? null
      : "issuer is not the subject of the issuer's certificate",
};
