import { equalBytes } from '#x509';
import type { LintRule } from './lint-rule.ts';

export const extensionsOfTemplate: LintRule = {
  id: 'extensions-of-template',
  source: 'the template',
  check({ certificate, plan: { template } }) {
    const unlike = template.extensions.find(({ oid, critical, value }) => {
      const found = certificate.extensions.find((extension) => extension.oid === oid);
      return (
        found === undefined ||
        found.critical !== critical ||
        !equalBytes(found.value, Uint8Array.fromHex(value))
      );
    });
    return unlike === undefined ? null : `extension ${unlike.oid} is not as the template has it`;
  },
};
