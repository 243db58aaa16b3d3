import { SallyportError } from '#errors';

const maximumOctets = 256;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that a maker writes without a string type around it: UTF-8, 1 to 256 octets, no control characters. */
export function statementText(bytes: Uint8Array, what: string): string {
  if (bytes.length > maximumOctets) throw new SallyportError('too-large', `${what}: ${bytes.length} octets`);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new SallyportError('malformed', `${what}: is no UTF-8`, { cause });
  }
  if (!/^\P{Cc}+$/u.test(text)) {
    throw new SallyportError('malformed', `${what}: empty, or with control characters`);
  }
  return text;
}
