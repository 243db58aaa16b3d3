import type { LintRule } from './lint-rule.ts';

/** notBefore may lie this far in the past, for devices whose clocks are late. */
const maximumBackdatingSeconds = 3600;

export const validityOfTemplate: LintRule = {
  id: 'validity-of-template',
  source: 'Template: validitySeconds',
  check({ certificate, plan }) {
    const seconds = (certificate.notAfter - certificate.notBefore) / 1000;
    return seconds <= plan.template.validitySeconds + maximumBackdatingSeconds
      ? null
      : `valid for ${seconds} seconds; the template allows ${plan.template.validitySeconds}`;
  },
};
