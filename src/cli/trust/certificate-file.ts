import { readFile } from 'node:fs/promises';
import { isSallyportError, SallyportError } from '#errors';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import { errorCode } from '../files.ts';

/** The certificates of a PEM file that the configuration names, at least one. Throws 'config'. */
export async function readCertificates(file: string): Promise<Certificate[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new SallyportError('config', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
  try {
    return pemToDer(text, 'CERTIFICATE').map((der) => parseCertificate(der));
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('config', `${file} holds no certificate in PEM: ${cause.message}`, { cause });
  }
}
