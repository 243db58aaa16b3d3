import { extendedKeyUsages } from '#x509';
import type { LintRule } from './lint-rule.ts';

/** anyExtendedKeyUsage would make a certificate for Wi-Fi one for code signing. */
export const extendedKeyUsageSpecific: LintRule = {
  id: 'extended-key-usage-specific',
  source: 'RFC 5280 section 4.2.1.12',
  check: ({ certificate }) =>
    certificate.extendedKeyUsage?.includes(extendedKeyUsages.anyExtendedKeyUsage)
      ? 'extendedKeyUsage allows any purpose'
      : null,
};
