import { type GeneralName, generalNameKey } from '#x509';
import { foundExtension } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

export const subjectAltNameAsPlanned: LintRule = {
  id: 'subject-alt-name-as-planned',
  source: 'Issuance plan',
  check({ certificate, plan }) {
    const found = foundExtension(certificate, 'subjectAltName') !== undefined;
    const planned = plan.subjectAltName.length > 0;
    return found === planned && sameNamesInOrder(certificate.subjectAltName, plan.subjectAltName)
      ? null
      : 'subjectAltName is not the planned one';
  },
};

function sameNamesInOrder(a: readonly GeneralName[], b: readonly GeneralName[]): boolean {
  return (
    a.length === b.length &&
    a.every((name, index) => {
      const other = b[index];
      return other !== undefined && generalNameKey(name) === generalNameKey(other);
    })
  );
}
