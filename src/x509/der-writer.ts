import { SallyportError } from '#errors';
import { type StringEncoding, encodeString } from './character-string.ts';
import type { Der } from './der-node.ts';
import { contextConstructed, tags } from './der-tags.ts';
import { compareBytes, octetAt } from './octets.ts';
import { encodeOid } from './oid.ts';
import { timeText } from './time.ts';

/** Writers of DER elements. What they give is never changed afterwards; constant ones are shared. */
export const der = {
  sequence: (...parts: readonly Der[]): Der => constructed(tags.sequence, parts),
  /** A SEQUENCE of more parts than a call has room for arguments. */
  sequenceOf: (parts: readonly Der[]): Der => constructed(tags.sequence, parts),
  /** SET OF in DER's order (X.690 section 11.6). */
  set: (...parts: readonly Der[]): Der => constructed(tags.set, parts.toSorted(compareBytes)),
  integer,
  boolean: (value: boolean): Der => (value ? booleanTrue : booleanFalse),
  null: (): Der => nullElement,
  oid,
  octetString: (bytes: Uint8Array): Der => primitive(tags.octetString, bytes),
  bitString,
  enumerated: (n: number): Der => retag(tags.enumerated, integer(n)),
  utf8String: (value: string): Der => string(value, 'utf8'),
  printableString: (value: string): Der => string(value, 'printable'),
  ia5String: (value: string): Der => string(value, 'ia5'),
  string,
  time,
  /** [n] EXPLICIT. */
  explicit: (n: number, part: Der): Der => constructed(contextConstructed(n), [part]),
  /** [n] IMPLICIT: `part` with its tag replaced, constructed where it was. */
  implicit: (n: number, part: Der): Der => retag(0x80 | (octetAt(part, 0) & 0x20) | n, part),
  /** [n] IMPLICIT SEQUENCE or SET OF, in the order given. */
  implicitConstructed: (n: number, ...parts: readonly Der[]): Der =>
    constructed(contextConstructed(n), parts),
} as const;

const booleanTrue: Der = Uint8Array.of(tags.boolean, 1, 0xff);
const booleanFalse: Der = Uint8Array.of(tags.boolean, 1, 0);
const nullElement: Der = Uint8Array.of(tags.null, 0);
const oidElements = new Map<string, Der>();
const maximumOidElements = 1024;

/** A bigint or integral number, or the big-endian octets of a non-negative one. */
function integer(value: bigint | number | Uint8Array): Der {
  if (value instanceof Uint8Array) return unsignedInteger(value);
  if (typeof value === 'number' && value >= 0 && value < 0x80) return Uint8Array.of(tags.integer, 1, value);
  const big = BigInt(value);
  let octets = Math.ceil((big < 0n ? -big : big).toString(16).length / 2);
  if (BigInt.asIntN(octets * 8, big) !== big) octets += 1;
  const hex = BigInt.asUintN(octets * 8, big).toString(16);
  return primitive(tags.integer, Uint8Array.fromHex(hex.padStart(octets * 2, '0')));
}

function unsignedInteger(bytes: Uint8Array): Der {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first += 1;
  const magnitude = bytes.subarray(first);
  if (magnitude.length === 0) throw new SallyportError('malformed', 'an INTEGER needs at least one octet');
  if (octetAt(magnitude, 0) < 0x80) return primitive(tags.integer, magnitude);
  const content = new Uint8Array(magnitude.length + 1);
  content.set(magnitude, 1);
  return primitive(tags.integer, content);
}

function oid(dotted: string): Der {
  const remembered = oidElements.get(dotted);
  if (remembered !== undefined) return remembered;
  const element = primitive(tags.oid, encodeOid(dotted));
  if (oidElements.size >= maximumOidElements) oidElements.clear();
  oidElements.set(dotted, element);
  return element;
}

/** `unusedBits` of the last octet are cleared (X.690 section 11.2.1). */
function bitString(bytes: Uint8Array, unusedBits: number = 0): Der {
  if (unusedBits < 0 || unusedBits > 7 || (unusedBits > 0 && bytes.length === 0)) {
    throw new SallyportError(
      'malformed',
      `a BIT STRING of ${bytes.length} octets has no ${unusedBits} unused bits`,
    );
  }
  const content = new Uint8Array(bytes.length + 1);
  content[0] = unusedBits;
  content.set(bytes, 1);
  if (unusedBits > 0) content[bytes.length] = octetAt(bytes, bytes.length - 1) & (0xff << unusedBits);
  return primitive(tags.bitString, content);
}

function string(value: string, encoding: StringEncoding): Der {
  const { tag, content } = encodeString(value, encoding);
  return primitive(tag, content);
}

/** Milliseconds since 1970, cut to the second; UTCTime to 2049, GeneralizedTime after. */
function time(milliseconds: number): Der {
  const { tag, text } = timeText(milliseconds);
  const element = new Uint8Array(2 + text.length);
  element[0] = tag;
  element[1] = text.length;
  for (let i = 0; i < text.length; i += 1) element[2 + i] = text.charCodeAt(i);
  return element;
}

function primitive(tag: number, content: Uint8Array): Der {
  const element = allocate(tag, content.length);
  element.set(content, element.length - content.length);
  return element;
}

/** An element of any tag around the parts. */
export function constructed(tag: number, parts: readonly Uint8Array[]): Der {
  let length = 0;
  for (const part of parts) length += part.length;
  const element = allocate(tag, length);
  let position = element.length - length;
  for (const part of parts) {
    element.set(part, position);
    position += part.length;
  }
  return element;
}

/** An element with its header written and room for the content. */
function allocate(tag: number, length: number): Uint8Array {
  if (length < 0x80) {
    const element = new Uint8Array(length + 2);
    element[0] = tag;
    element[1] = length;
    return element;
  }
  const octets = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const element = new Uint8Array(length + 2 + octets);
  element[0] = tag;
  element[1] = 0x80 | octets;
  for (let i = 0; i < octets; i += 1) element[2 + i] = length >>> (8 * (octets - 1 - i));
  return element;
}

function retag(tag: number, part: Der): Der {
  const element = part.slice();
  element[0] = tag;
  return element;
}
