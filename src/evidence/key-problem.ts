import { isSallyportError } from '#errors';
import { type Certificate, inspectPublicKey } from '#x509';

/** What is wrong with the key of a certificate that is to vouch for others, or for a key; null: nothing that is known. */
export function keyProblem({ spki }: Certificate): string | null {
  try {
    const { algorithm, bits, curve, weaknesses } = inspectPublicKey(spki);
    if (weaknesses.length > 0) return `has a key of ${bits} bits that is weak: ${weaknesses.join(', ')}`;
    if (algorithm === 'other') return 'has a key of a type that is not known here';
    // Other curves than these have their OID for a name.
    return algorithm === 'ec-other' && curve !== 'P-521'
      ? `has a key on a curve that is not known here`
      : null;
  } catch (error) {
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return `has a key that is not read here: ${error.message}`;
  }
}
