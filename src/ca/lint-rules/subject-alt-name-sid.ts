import { isSidUri } from '../alternative-name.ts';
import type { LintRule } from './lint-rule.ts';

/** The SID decides which Windows account a certificate signs in to. */
export const subjectAltNameSid: LintRule = {
  id: 'subject-alt-name-sid',
  source: 'Microsoft KB5014754',
  check({ certificate, plan }) {
    const spelled = plan.template.subjectAltName.some(
      ({ kind, value }) => kind === 'uri' && isSidUri({ kind, value }),
    );
    return spelled || !certificate.subjectAltName.some(isSidUri)
      ? null
      : 'subjectAltName has a Microsoft SID that the template does not spell out';
  },
};
