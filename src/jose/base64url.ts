import { SallyportError } from '#errors';

/**
 * RFC 7515 section 2: the URL alphabet, "with all trailing '=' characters omitted […] and without the inclusion of any line breaks,
 * whitespace, or other additional characters". Bits beyond the last octet must be zero (RFC 4648 section 3.5), so that octets have one
 * spelling. Throws `malformed`.
 */
export function decodeBase64Url(text: string, what: string): Uint8Array {
  const bytes = looselyDecoded(text);
  if (bytes === null || encodeBase64Url(bytes) !== text) {
    throw new SallyportError('malformed', `${what} is not base64url without padding`);
  }
  return bytes;
}

export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
}

/** Takes white space, padding and stray bits as well, which the comparison above finds. */
function looselyDecoded(text: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(text, { alphabet: 'base64url' });
  } catch {
    return null;
  }
}
