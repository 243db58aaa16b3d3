import type { LintRule } from './lint-rule.ts';

const wholeSeconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

export const validityAsPlanned: LintRule = {
  id: 'validity-as-planned',
  source: 'Issuance plan',
  check: ({ certificate, plan }) =>
    wholeSeconds(certificate.notBefore) === wholeSeconds(plan.notBefore) &&
    wholeSeconds(certificate.notAfter) === wholeSeconds(plan.notAfter)
      ? null
      : 'validity is not the planned one',
};
