import type { LintRule } from './lint-rule.ts';

/** "If the cA boolean is not asserted, then the keyCertSign bit […] MUST NOT be asserted." */
export const keyUsageEndEntity: LintRule = {
  id: 'key-usage-end-entity',
  source: 'RFC 5280 section 4.2.1.9',
  check({ certificate }) {
    const usage = certificate.keyUsage?.find((name) => name === 'keyCertSign' || name === 'cRLSign');
    return usage === undefined ? null : `keyUsage has ${usage}, which is an authority's`;
  },
};
