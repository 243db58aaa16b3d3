import { encodeAuthorityInfoAccess } from '#x509';
import { remembered } from '../remembered.ts';
import { plannedExtensionProblem } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

const encoded = remembered((caIssuers: readonly string[]) => encodeAuthorityInfoAccess({ caIssuers }));

export const authorityInfoAccess: LintRule = {
  id: 'authority-info-access',
  source: 'RFC 5280 section 4.2.2.1',
  check: ({ certificate, plan: { caIssuersUrls } }) =>
    plannedExtensionProblem(
      certificate,
      'authorityInfoAccess',
      caIssuersUrls.length > 0 ? encoded(caIssuersUrls) : null,
    ),
};
