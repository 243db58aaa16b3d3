import { SallyportError } from '#errors';

/**
 * The DER of a base64 body (RFC 8951 section 3.1: any line breaks or none; Content-Transfer-Encoding is not looked at).
 * Throws 'malformed' in words for the person who made the request.
 */
export function decodeBody(body: Buffer): Buffer {
  if (body.length === 0) {
    throw new SallyportError('malformed', 'the body is empty: send the base64 of a PKCS #10 request');
  }
  if (body[0] === 0x30 && body[1]! >= 0x80) {
    throw new SallyportError('malformed', 'the body is binary DER: send its base64');
  }
  const text = body.toString('latin1');
  if (text.includes('-----BEGIN')) {
    throw new SallyportError(
      'malformed',
      'the body is PEM: send the base64 alone, without the BEGIN and END lines',
    );
  }
  const compact = text.replace(/[\r\n\t ]+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact) || compact.length % 4 !== 0) {
    throw new SallyportError('malformed', 'the body is not base64');
  }
  return Buffer.from(compact, 'base64');
}

/**
 * Base64 for an answer. strongSwan before 5.9.11 takes one line only and sends no User-Agent; libest and `openssl base64 -d` want
 * lines of at most 64 characters.
 */
export function encodeBody(der: Uint8Array, userAgent: string | undefined): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  // Without a line end: Bouncy Castle's reader, which sends no User-Agent either, takes one after 1024 characters for more content.
  if (userAgent === undefined) return base64;
  return base64.replace(/.{1,64}/g, '$&\n');
}
