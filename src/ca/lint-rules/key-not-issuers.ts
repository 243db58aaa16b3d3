import { equalBytes } from '#x509';
import type { LintRule } from './lint-rule.ts';

/** Whoever asks for it cannot have proved possession: the key never leaves the authority. */
export const keyNotIssuers: LintRule = {
  id: 'key-not-issuers',
  source: 'RFC 5280 section 3.2',
  check: ({ certificate, issuer }) =>
    equalBytes(certificate.spki, issuer.key.spki) ? "public key is the issuer's own" : null,
};
