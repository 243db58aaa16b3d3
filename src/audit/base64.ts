import { SallyportError } from '#errors';

/**
 * RFC 4648 section 4, canonical form only. Buffer would take the URL alphabet, missing padding and stray bits
 * too, and then one signature would have many spellings.
 */
export function decodeBase64(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw new SallyportError('malformed', `${what} is not canonical base64`);
  }
  return bytes;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
