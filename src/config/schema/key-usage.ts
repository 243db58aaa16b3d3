import type { KeyAlgorithm } from '#keys';

/** RFC 5280 section 4.2.1.3, without keyCertSign and cRLSign: devices are no CAs. */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

const signing: readonly KeyUsage[] = ['digitalSignature', 'nonRepudiation'];
const encipherment: readonly KeyUsage[] = ['keyEncipherment', 'dataEncipherment'];
const agreement: readonly KeyUsage[] = ['keyAgreement', 'encipherOnly', 'decipherOnly'];

/** RFC 3279 section 2.3.1, RFC 5480 section 3 with RFC 8813; Ed25519 (RFC 8410) and ML-DSA (RFC 9881) only sign. */
function usagesOf(algorithm: KeyAlgorithm): readonly KeyUsage[] {
  if (algorithm.startsWith('rsa-')) return [...signing, ...encipherment];
  if (algorithm.startsWith('ec-')) return [...signing, ...agreement];
  return signing;
}

/**
 * A template may list usages that only some of its key algorithms can have: a certificate gets those that fit its key.
 * Refused is a usage that fits none of them, which would never be certified.
 */
export function keyUsageProblem(
  usage: KeyUsage,
  usages: readonly KeyUsage[],
  algorithms: readonly KeyAlgorithm[],
): string | null {
  if (!algorithms.some((algorithm) => usagesOf(algorithm).includes(usage))) {
    return `no key of keyAlgorithms can have ${usage}`;
  }
  const oneWay = usage === 'encipherOnly' || usage === 'decipherOnly';
  return oneWay && !usages.includes('keyAgreement') ? `${usage} means nothing without keyAgreement` : null;
}

/** A key that could have none of the usages would get a certificate for nothing. */
export function keyAlgorithmProblem(algorithm: KeyAlgorithm, usages: readonly KeyUsage[]): string | null {
  const fitting = usagesOf(algorithm);
  return usages.some((usage) => fitting.includes(usage))
    ? null
    : `keyUsage lists nothing that ${algorithm} keys can have`;
}
