import { SallyportError } from '#errors';
import { type Members, membersOf, parseJson } from './json.ts';

/** Of a URL, a key identifier or a nonce: what we give out is far below. */
const maximumTextLength = 2048;

/**
 * The protected header's members. Names must be unique, and parameters that are not understood "MUST be ignored" (RFC 7515 section 4),
 * unless they are listed as critical: nobody may list what we understand without it (section 4.1.11), so `crit` itself is refused, and
 * `b64` with or without it (RFC 8555 section 6.2: "The JWS Unencoded Payload Option […] MUST NOT be used").
 */
export function parseProtectedHeader(bytes: Uint8Array): Members {
  const members = membersOf(parseJson(bytes, 'JWS: the protected header'), 'JWS: the protected header');
  for (const name of ['crit', 'b64']) {
    if (Object.hasOwn(members, name)) {
      throw new SallyportError('malformed', `JWS: "${name}" must not be in the protected header`);
    }
  }
  return members;
}

/** A parameter that must be there: printable ASCII, which URLs and key identifiers are. */
export function headerText(header: Members, name: string): string {
  const text = header[name];
  if (typeof text !== 'string' || !/^[ -~]+$/.test(text)) {
    throw new SallyportError('malformed', `JWS: "${name}" in the protected header must be a string of ASCII`);
  }
  if (text.length > maximumTextLength) {
    throw new SallyportError('too-large', `JWS: "${name}" has more than ${maximumTextLength} characters`);
  }
  return text;
}
