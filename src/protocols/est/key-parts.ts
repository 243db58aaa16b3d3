import { certsOnly } from '#cms';
import { encodeBody } from './base64-body.ts';
import type { KeyDelivery } from './key-delivery.ts';

export const certsOnlyType = 'application/pkcs7-mime; smime-type=certs-only';

/** The two parts of an answer to serverkeygen, the key first (RFC 7030 section 4.4.2). */
export function keyParts(
  { key, keyType, certificate, boundary }: KeyDelivery,
  userAgent: string | undefined,
): { type: string; body: string } {
  const part = (type: string, base64: string) =>
    `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n`;
  const body =
    part(keyType, encodeBody(key, userAgent)) +
    part(certsOnlyType, encodeBody(certsOnly([certificate]), userAgent)) +
    `--${boundary}--\r\n`;
  key.fill(0);
  return { type: `multipart/mixed; boundary=${boundary}`, body };
}
