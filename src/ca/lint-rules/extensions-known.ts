import { extensionOids } from '#x509';
import type { ExtensionName } from './comparison.ts';
import type { LintRule } from './lint-rule.ts';

const names: readonly ExtensionName[] = [
  'basicConstraints',
  'keyUsage',
  'extendedKeyUsage',
  'subjectKeyIdentifier',
  'authorityKeyIdentifier',
  'subjectAltName',
  'certificatePolicies',
  'crlDistributionPoints',
  'authorityInfoAccess',
];
const known: ReadonlySet<string> = new Set(names.map((name) => extensionOids[name]));

/** An allow-list. Each of these has a rule of its own, and so have the template's; one extension twice is refused by the parser. */
export const extensionsKnown: LintRule = {
  id: 'extensions-known',
  source: 'RFC 5280 section 4.2',
  check({ certificate, plan: { template } }) {
    const strange = certificate.extensions.find(
      ({ oid }) => !known.has(oid) && !template.extensions.some((own) => own.oid === oid),
    );
    return strange === undefined ? null : `extension ${strange.oid} is not one that is issued`;
  },
};
