import { SallyportError } from '#errors';
import { type Certificate, type Der, type KeyUsage, inspectPublicKey } from '#x509';
import type { EnvelopeForm } from './enveloped-data.ts';
import { keyAgreeRecipientInfo } from './key-agreement.ts';
import { keyTransRecipientInfo } from './key-transport.ts';

/** RecipientInfo (RFC 5652 section 6.2). */
export interface RecipientInfo {
  readonly version: 0 | 2 | 3;
  readonly der: Der;
}

/**
 * The content-encryption key for one recipient, by what its certified key can do.
 * @throws SallyportError 'unsupported' for a key that can neither, that is weak, or whose keyUsage forbids it
 */
export function recipientInfo(
  recipient: Certificate,
  contentEncryptionKey: Uint8Array,
  { transport, asPkcs7 }: EnvelopeForm,
): RecipientInfo {
  const { algorithm, weaknesses } = inspectPublicKey(recipient.spki);
  if (weaknesses.length > 0) {
    throw new SallyportError('unsupported', `the recipient's key is weak: ${weaknesses.join(', ')}`);
  }
  switch (algorithm) {
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
    case 'rsa-other':
      if (!asPkcs7) requireKeyUsage(recipient, 'keyEncipherment');
      return keyTransRecipientInfo(recipient, contentEncryptionKey, transport, !asPkcs7);
    case 'ec-p256':
    case 'ec-p384':
      if (asPkcs7) {
        throw new SallyportError('unsupported', 'nothing can be encrypted to a key that is not RSA');
      }
      requireKeyUsage(recipient, 'keyAgreement');
      return keyAgreeRecipientInfo(recipient, algorithm, contentEncryptionKey);
    default:
      throw new SallyportError(
        'unsupported',
        `nothing can be encrypted for a key of the kind ${algorithm}; use RSA, P-256 or P-384`,
      );
  }
}

/** RFC 5280 section 4.2.1.3: a certificate without keyUsage restricts nothing. */
function requireKeyUsage({ keyUsage }: Certificate, needed: KeyUsage): void {
  if (keyUsage === null || keyUsage.includes(needed)) return;
  throw new SallyportError(
    'unsupported',
    `the recipient's certificate has a keyUsage without ${needed}; nothing can be encrypted for it`,
  );
}
