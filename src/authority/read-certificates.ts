import { SallyportError } from '#errors';
import { type Certificate, derToPem, parseCertificate, pemToDer } from '#x509';
import { readText } from './read-text.ts';

/** All of a PEM file. Throws 'config'. */
export async function readCertificates(file: string): Promise<Certificate[]> {
  const text = await readText(file);
  try {
    return pemToDer(text, 'CERTIFICATE').map((der) => parseCertificate(der));
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new SallyportError('config', `${file} holds no certificates in PEM: ${words}`, { cause });
  }
}

/** Of the CAs that alone vouch for somebody's server certificate. A file without any would leave that to those which Node.js trusts. Throws 'config'. */
export async function readTrustedCas(file: string): Promise<string> {
  const certificates = await readCertificates(file);
  if (certificates.length === 0) throw new SallyportError('config', `${file} holds no certificates in PEM`);
  return certificates.map(({ der }) => derToPem(der, 'CERTIFICATE')).join('');
}
