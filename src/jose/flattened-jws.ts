import { SallyportError } from '#errors';
import { decodeBase64Url } from './base64url.ts';
import { type Members, maximumJsonOctets, membersOf } from './json.ts';
import { parseProtectedHeader } from './protected-header.ts';

/** The parts of a JWS, nothing verified. */
export interface FlattenedJws {
  readonly header: Members;
  /** RFC 7515 section 5.1: the protected header and the payload as they came, with a dot between. */
  readonly signingInput: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The Flattened JWS JSON Serialization (RFC 7515 section 7.2.2) as RFC 8555 section 6.2 narrows it: no multiple signatures, no
 * unprotected header, no detached payload. Other members "MUST be ignored" (section 7.2.1). Throws `malformed` and `too-large`.
 */
export function parseFlattenedJws(value: unknown): FlattenedJws {
  const members = membersOf(value, 'JWS');
  for (const name of ['signatures', 'header']) {
    if (Object.hasOwn(members, name)) {
      throw new SallyportError('malformed', `JWS: "${name}" must not be used`);
    }
  }
  const encodedHeader = textOf(members, 'protected');
  const encodedPayload = textOf(members, 'payload');
  const encodedSignature = textOf(members, 'signature');
  if (encodedHeader.length + encodedPayload.length + encodedSignature.length > maximumJsonOctets) {
    throw new SallyportError('too-large', `JWS: more than ${maximumJsonOctets} characters`);
  }
  return {
    header: parseProtectedHeader(decodeBase64Url(encodedHeader, 'JWS: "protected"')),
    payload: decodeBase64Url(encodedPayload, 'JWS: "payload"'),
    signature: decodeBase64Url(encodedSignature, 'JWS: "signature"'),
    signingInput: new TextEncoder().encode(`${encodedHeader}.${encodedPayload}`),
  };
}

function textOf(members: Members, name: string): string {
  const text = members[name];
  if (typeof text !== 'string') throw new SallyportError('malformed', `JWS: "${name}" must be a string`);
  return text;
}
