import { SallyportError } from '#errors';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * The `id` of a log entry in canonical JSON, without parsing the rest: members are sorted, and most of an entry comes
 * behind its id.
 */
export function entryId(entry: Uint8Array): string {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  let at = bytes[0] === openBrace ? 1 : -1;
  while (at > 0 && bytes[at] === quote) {
    const nameEnd = endOfString(bytes, at);
    const valueEnd = bytes[nameEnd] === colon ? endOfValue(bytes, nameEnd + 1) : -1;
    if (valueEnd < 0) break;
    const name = bytes.toString('latin1', at, nameEnd);
    if (name === '"id"') return parseId(bytes.toString('utf8', nameEnd + 1, valueEnd));
    at = bytes[valueEnd] === comma ? valueEnd + 1 : -1;
  }
  throw new SallyportError('malformed', 'a log entry is a canonical JSON object with an id');
}

function parseId(json: string): string {
  try {
    const id: unknown = JSON.parse(json);
    if (typeof id === 'string' && id !== '') return id;
  } catch {
    // The same answer.
  }
  throw new SallyportError('malformed', 'the id of a log entry is a string');
}

/** The place behind the value that begins at `start`; -1 when it does not end. */
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      const end = endOfString(bytes, at);
      if (end < 0) return -1;
      at = end - 1;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at;
      depth -= 1;
    } else if (byte === comma && depth === 0) {
      return at;
    }
  }
  return -1;
}

/** The place behind the string whose opening quote is at `start`; -1 when it does not end. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte === backslash) at += 1;
  }
  return -1;
}
