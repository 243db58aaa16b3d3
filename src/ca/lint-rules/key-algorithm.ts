import type { LintRule } from './lint-rule.ts';

export const keyAlgorithm: LintRule = {
  id: 'key-algorithm',
  source: 'Template: keyAlgorithms',
  check: ({ algorithm, plan }) =>
    plan.template.keyAlgorithms.some((allowed) => allowed === algorithm)
      ? null
      : `the template has no keys of kind ${algorithm}`,
};
