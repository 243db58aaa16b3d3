import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SallyportError } from '#errors';
import { decryptPkcs8, isEncryptedPkcs8 } from './encrypted-pkcs8.ts';
import { SoftwareKey } from './software-key.ts';

/**
 * A listener's key, which may also be in the clear: a server's TLS key often is. TLS takes kinds of keys that are no SoftwareKey.
 *
 * @throws SallyportError 'key'
 */
export async function openTransportKey(pem: string, passphrase: string | undefined): Promise<KeyObject> {
  if (passphrase !== undefined && isEncryptedPkcs8(pem)) return decryptPkcs8(pem, passphrase);
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    throw new SallyportError('key', 'the key file does not open; check its passphrase');
  }
}

/** @throws SallyportError 'key': wrong passphrase, not encrypted PKCS#8, or a key that cannot sign here */
export async function loadSoftwareKey(pem: string, passphrase: string): Promise<SoftwareKey> {
  return new SoftwareKey(await decryptPkcs8(pem, passphrase));
}
