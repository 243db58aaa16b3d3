import type { PublicKeyFacts } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';

/** RSA of 2048 bits or more with the exponent 65537, or one of the NIST curves; nothing that anybody can factor. Fails as `check` where it is not. */
export function requireStrongKey(facts: PublicKeyFacts, check: string): void {
  const { algorithm, exponent, weaknesses, curve } = facts;
  const isKnown = algorithm.startsWith('rsa-') ? exponent === '65537' : curve?.startsWith('P-') === true;
  if (isKnown && weaknesses.length === 0) return;
  const why = weaknesses.length > 0 ? weaknesses.join(', ') : `${algorithm}, exponent ${exponent ?? 'none'}`;
  throw new EvidenceRefused(check, `the key will not do: ${why}`);
}
