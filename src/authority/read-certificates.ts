import { SallyportError } from '#errors';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
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
