import { SallyportError } from '#errors';
import type { Credential } from '#enrollment';

const longestUserName = 128;
const longestSecret = 256;

/** Reads `Authorization: Basic` (RFC 7617). null where the header is absent; throws 'malformed' without repeating what it read. */
export function parseBasicCredential(
  header: string | undefined,
): Extract<Credential, { kind: 'secret' }> | null {
  if (header === undefined) return null;
  const match = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header);
  if (match === null) throw new SallyportError('malformed', 'the Authorization header is not HTTP Basic');
  const text = Buffer.from(match[1]!, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) {
    throw new SallyportError('malformed', 'the Authorization header holds no user name and password');
  }
  const userName = text.slice(0, colon);
  const secret = text.slice(colon + 1);
  if (
    userName.length > longestUserName ||
    secret.length > longestSecret ||
    /[\u0000-\u001f\u007f\ufffd]/.test(text)
  ) {
    throw new SallyportError(
      'malformed',
      'the user name or password is too long or holds control characters',
    );
  }
  return { kind: 'secret', userName, secret };
}
