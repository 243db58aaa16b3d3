import { sameName } from '#x509';
import type { LintRule } from './lint-rule.ts';

export const subjectAsPlanned: LintRule = {
  id: 'subject-as-planned',
  source: 'Issuance plan',
  check: ({ certificate, plan }) =>
    sameName(certificate.subject, plan.subject) ? null : 'subject is not the planned one',
};
