import type { PublicKeyFacts } from '#x509';

/** Also what is no KeyAlgorithm: no template allows such a key, and lint says so. */
export type CertifiedAlgorithm = PublicKeyFacts['algorithm'];

const encipherment = ['keyEncipherment', 'dataEncipherment'];
const agreement = ['keyAgreement', 'encipherOnly', 'decipherOnly'];

/** Usages that a certificate with such a key must not name. */
const impossibleUsages = {
  // RFC 8813 section 3.
  'ec-p256': encipherment,
  'ec-p384': encipherment,
  // RFC 3279 section 2.3.1.
  'rsa-2048': agreement,
  'rsa-3072': agreement,
  'rsa-4096': agreement,
  // RFC 9295 section 3.
  ed25519: [...encipherment, ...agreement],
  // RFC 9881 section 5.
  'ml-dsa-44': [...encipherment, ...agreement],
  'ml-dsa-65': [...encipherment, ...agreement],
  'ml-dsa-87': [...encipherment, ...agreement],
  'rsa-other': agreement,
  'ec-other': encipherment,
  other: [],
} as const satisfies Record<CertifiedAlgorithm, readonly string[]>;

/** One template serves several key algorithms: of its usages, those that the key at hand can have. */
export function usagesFor(usages: readonly string[], algorithm: CertifiedAlgorithm): string[] {
  const impossible: readonly string[] = impossibleUsages[algorithm];
  return usages.filter((usage) => !impossible.includes(usage));
}
