import { SallyportError } from '#errors';

/** DER whose tag numbers may be above 30: certificates know none, and the reader of #x509 refuses them. */
export interface Element {
  /** Class and the constructed bit, as they stand in the first identifier octet. */
  readonly kind: number;
  readonly tagNumber: number;
  readonly content: Uint8Array;
  /** The whole element. */
  readonly der: Uint8Array;
}

export const universal = 0x00;
export const universalConstructed = 0x20;
export const contextConstructed = 0xa0;

const maximumElements = 128;

/** The elements that fill `bytes`. What is inside of them is not looked at, so nothing here recurses. Throws `malformed` or `too-large`. */
export function readElements(bytes: Uint8Array, what: string): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; at += elements.at(-1)!.der.length) {
    if (elements.length === maximumElements) {
      throw new SallyportError('too-large', `${what}: more than ${maximumElements} elements`);
    }
    elements.push(elementAt(bytes, at, what));
  }
  return elements;
}

/** The one element that `bytes` are, which has to be of this type. */
export function readElement(bytes: Uint8Array, kind: number, tagNumber: number, what: string): Element {
  const [element, another] = readElements(bytes, what);
  if (another !== undefined || element?.kind !== kind || element.tagNumber !== tagNumber) {
    throw malformed(what, 'is not the one element that it has to be');
  }
  return element;
}

function elementAt(bytes: Uint8Array, start: number, what: string): Element {
  const tag = tagAt(bytes, start, what);
  const length = lengthAt(bytes, tag.end, what);
  const end = length.end + length.value;
  if (end > bytes.length) throw malformed(what, 'an element is longer than what holds it');
  return {
    kind: octetAt(bytes, start, what) & 0xe0,
    tagNumber: tag.value,
    content: bytes.subarray(length.end, end),
    der: bytes.subarray(start, end),
  };
}

interface Read {
  readonly value: number;
  readonly end: number;
}

/** X.690 section 8.1.2.4: above 30 in groups of seven bits, of which the first is not zero. */
function tagAt(bytes: Uint8Array, start: number, what: string): Read {
  const low = octetAt(bytes, start, what) & 0x1f;
  if (low < 0x1f) return { value: low, end: start + 1 };
  let value = 0;
  for (let at = start + 1; at < start + 4; at += 1) {
    const octet = octetAt(bytes, at, what);
    value = value * 128 + (octet & 0x7f);
    if (value === 0) break;
    if (octet >= 0x80) continue;
    if (value < 0x1f) break;
    return { value, end: at + 1 };
  }
  throw malformed(what, 'a tag number is not minimal, or above 2^21');
}

/** X.690 section 10.1: the definite form with the minimum number of octets. */
function lengthAt(bytes: Uint8Array, start: number, what: string): Read {
  const first = octetAt(bytes, start, what);
  if (first < 0x80) return { value: first, end: start + 1 };
  const octets = first & 0x7f;
  if (octets > 2) throw malformed(what, 'a length is above 2^16');
  let value = 0;
  for (let at = start + 1; at <= start + octets; at += 1) value = value * 256 + octetAt(bytes, at, what);
  // Without any octet it would be the indefinite form.
  if (value < (octets === 2 ? 0x100 : 0x80)) throw malformed(what, 'a length is not minimal');
  return { value, end: start + 1 + octets };
}

function octetAt(bytes: Uint8Array, at: number, what: string): number {
  const octet = bytes[at];
  if (octet === undefined) throw malformed(what, 'an element is cut off');
  return octet;
}

function malformed(what: string, why: string): SallyportError {
  return new SallyportError('malformed', `${what}: ${why}`);
}
