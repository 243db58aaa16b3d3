import { decryptPkcs8 } from './encrypted-pkcs8.ts';
import { SoftwareKey } from './software-key.ts';

/** @throws SallyportError 'key': wrong passphrase, not encrypted PKCS#8, or a key that cannot sign here */
export async function loadSoftwareKey(pem: string, passphrase: string): Promise<SoftwareKey> {
  return new SoftwareKey(decryptPkcs8(pem, passphrase));
}
