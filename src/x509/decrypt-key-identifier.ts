import { SallyportError } from '#errors';
import type { DerNode } from './der-node.ts';

const maximumIdentifierBytes = 64;

/**
 * DecryptKeyIdentifier (RFC 4108 section 2.2.5, RFC 7030 section 4.4.1.1) and AsymmetricDecryptKeyIdentifier (section
 * 4.4.1.2): an OCTET STRING whose meaning client and server have agreed on. Throws `too-large` beyond 64 octets.
 */
export function decryptKeyIdentifierOf(node: DerNode): Uint8Array {
  const octets = node.octetString('DecryptKeyIdentifier');
  if (octets.length === 0) throw new SallyportError('malformed', 'DecryptKeyIdentifier: empty');
  if (octets.length > maximumIdentifierBytes) {
    throw new SallyportError('too-large', `DecryptKeyIdentifier of ${octets.length} octets`);
  }
  return octets;
}
