import { equalBytes } from '#x509';
import type { LintRule } from './lint-rule.ts';

export const keyAsPlanned: LintRule = {
  id: 'key-as-planned',
  source: 'Issuance plan',
  check: ({ certificate, plan }) =>
    equalBytes(certificate.spki, plan.spki) ? null : 'public key is not the planned one',
};
