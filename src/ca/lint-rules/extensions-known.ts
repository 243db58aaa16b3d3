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

/** An allow-list. Each of these has a rule of its own; one extension twice is refused by the parser. */
export const extensionsKnown: LintRule = {
  id: 'extensions-known',
  source: 'RFC 5280 section 4.2',
  check({ certificate }) {
    const strange = certificate.extensions.find(({ oid }) => !known.has(oid));
    return strange === undefined ? null : `extension ${strange.oid} is not one that is issued`;
  },
};
