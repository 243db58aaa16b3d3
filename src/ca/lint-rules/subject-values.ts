import { attributeValueProblem, isAttributeEncoding } from '../attribute-value.ts';
import type { LintRule } from './lint-rule.ts';

export const subjectValues: LintRule = {
  id: 'subject-values',
  source: 'RFC 5280 section 4.1.2.4 and appendix A.1',
  check({ certificate }) {
    for (const { type, value, encoding } of certificate.subject.flat()) {
      const problem = attributeValueProblem(type, value);
      if (problem !== null) return `subject attribute ${type} ${problem}`;
      if (!isAttributeEncoding(type, encoding)) return `subject attribute ${type} is encoded as ${encoding}`;
    }
    return null;
  },
};
