import { extendedKeyUsages } from '#x509';
import type { LintRule } from './lint-rule.ts';

/** Purposes with the key usages of which one at least is needed for them. */
const consistent: ReadonlyMap<string, readonly string[]> = new Map([
  [extendedKeyUsages.serverAuth, ['digitalSignature', 'keyEncipherment', 'keyAgreement']],
  [extendedKeyUsages.clientAuth, ['digitalSignature', 'keyAgreement']],
  [extendedKeyUsages.codeSigning, ['digitalSignature']],
  [
    extendedKeyUsages.emailProtection,
    ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'keyAgreement'],
  ],
]);

export const keyUsageServesPurpose: LintRule = {
  id: 'key-usage-serves-purpose',
  source: 'RFC 5280 section 4.2.1.12',
  check({ certificate }) {
    const usages = certificate.keyUsage ?? [];
    const idle = certificate.extendedKeyUsage?.find(
      (purpose) => consistent.get(purpose)?.every((usage) => !usages.includes(usage)) ?? false,
    );
    return idle === undefined ? null : `purpose ${idle} cannot be served by keyUsage ${usages.join(', ')}`;
  },
};
