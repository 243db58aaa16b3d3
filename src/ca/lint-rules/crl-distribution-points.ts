import { encodeCrlDistributionPoints } from '#x509';
import { remembered } from '../remembered.ts';
import { plannedExtensionProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

const encoded = remembered(encodeCrlDistributionPoints);

export const crlDistributionPoints: LintRule = {
  id: 'crl-distribution-points',
  source: 'RFC 5280 section 4.2.1.13',
  check: ({ certificate, plan: { crlUrls } }) =>
    plannedExtensionProblem(
      certificate,
      'crlDistributionPoints',
      crlUrls.length > 0 ? encoded(crlUrls) : null,
    ),
};
