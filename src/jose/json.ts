import { SallyportError } from '#errors';

/** An account key with its CSR of ML-DSA, and a chain of attestation, have their room; see also the limits of DER. */
export const maximumJsonOctets = 65_536;
const maximumDepth = 16;

export type Members = Readonly<Record<string, unknown>>;

/**
 * JSON in UTF-8 without a byte order mark, and no name twice in one object: two readers of such an object may see two different ones
 * (RFC 7515 section 10.12). Throws `malformed`, and `too-large` beyond 64 KiB or 16 levels. What was read is never quoted.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > maximumJsonOctets) {
    throw new SallyportError('too-large', `${what} has more than ${maximumJsonOctets} octets`);
  }
  const { text, value } = decoded(bytes, what);
  if (countMembers(value, what, 0) !== countNames(text)) {
    throw new SallyportError('malformed', `${what} has an object with one name twice`);
  }
  return value;
}

/** Throws `malformed` for anything but an object. */
export function membersOf(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SallyportError('malformed', `${what} is no JSON object`);
  }
  return value as Members;
}

function decoded(bytes: Uint8Array, what: string): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, value: JSON.parse(text) };
  } catch {
    throw new SallyportError('malformed', `${what} is no JSON in UTF-8`);
  }
}

/** Of a name that is there twice, JSON.parse keeps one member. */
function countMembers(value: unknown, what: string, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === maximumDepth) {
    throw new SallyportError('too-large', `${what} is nested deeper than ${maximumDepth} levels`);
  }
  const inner: unknown[] = Object.values(value);
  let members = Array.isArray(value) ? 0 : inner.length;
  for (const each of inner) members += countMembers(each, what, depth + 1);
  return members;
}

const strings = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

/** In valid JSON a colon outside of strings follows each name, and nothing else. */
function countNames(text: string): number {
  return text.replaceAll(strings, '').split(':').length - 1;
}
