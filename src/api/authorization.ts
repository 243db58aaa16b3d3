/** What a machine says of itself, before anybody looked whether it is true. */
export interface GivenToken {
  readonly token: string;
  /** The user name of HTTP Basic, which must be the machine's; null: none was given. */
  readonly name: string | null;
}

const longestHeader = 512;

/**
 * RFC 6750 section 2.1, and RFC 7617 where a route says so: systems that know no other scheme give the machine's name as user and the token as password.
 * null: no header. `malformed`: whatever else there is, twice the header included.
 */
export function parseAuthorization(
  headers: readonly string[],
  takesBasic: boolean,
): GivenToken | 'malformed' | null {
  const [header, ...more] = headers;
  if (header === undefined) return null;
  if (more.length > 0 || header.length > longestHeader) return 'malformed';
  const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
  if (bearer !== undefined) return { token: bearer, name: null };
  const basic = takesBasic ? /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1] : undefined;
  if (basic === undefined) return 'malformed';
  const text = Buffer.from(basic, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? 'malformed' : { name: text.slice(0, colon), token: text.slice(colon + 1) };
}
