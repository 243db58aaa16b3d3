import type { LintRule } from './lint-rule.ts';

/** The intent that is recorded before signing names the serial number. */
export const serialNumberAsPlanned: LintRule = {
  id: 'serial-number-as-planned',
  source: 'Issuance plan',
  check: ({ certificate, plan }) =>
    certificate.serialNumber === plan.serialNumber ? null : 'serial number is not the planned one',
};
