import { open } from 'node:fs/promises';
import { isSallyportError, SallyportError } from '#errors';
import { type Certificate, type Der, parseCertificate, pemToDer } from '#x509';
import { errorCode } from '../files.ts';

const maximumBytes = 4 * 1024 * 1024;

/** All of a file, PEM or DER, as it came from a vendor: nothing of it is believed yet. Throws 'usage'. */
export async function readCertificates(file: string): Promise<Certificate[]> {
  const bytes = await readBounded(file);
  try {
    return derOf(bytes).map((der) => parseCertificate(der));
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('usage', `${file} holds no certificates in PEM or DER: ${cause.message}`, {
      cause,
    });
  }
}

/** One that has been read is not counted again. */
export async function readDistinct(files: readonly string[]): Promise<Certificate[]> {
  const found = new Map<string, Certificate>();
  for (const file of files) {
    for (const certificate of await readCertificates(file)) found.set(certificate.der.toHex(), certificate);
  }
  return [...found.values()];
}

/** DER begins with the tag of a SEQUENCE, which is the digit zero in a text. */
function derOf(bytes: Uint8Array): Der[] {
  const text = new TextDecoder('latin1').decode(bytes);
  const isPem = text.includes('-----BEGIN ');
  return bytes[0] === 0x30 && !isPem ? [bytes] : pemToDer(text, 'CERTIFICATE');
}

/** A pipe is read as well, and ends where it is too long. */
async function readBounded(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r');
    try {
      const parts: Buffer[] = [];
      let length = 0;
      for await (const part of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
        length += part.length;
        if (length > maximumBytes) throw new SallyportError('usage', `${file} is longer than 4 MiB`);
        parts.push(part);
      }
      return new Uint8Array(Buffer.concat(parts));
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (isSallyportError(cause)) throw cause;
    throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
}
