import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import type { DerLimits } from './der-limits.ts';
import { tags } from './der-tags.ts';

function malformed(offset: number, what: string): SallyportError {
  return new SallyportError('malformed', `DER at byte ${offset}: ${what}`);
}

function tooLarge(what: string): SallyportError {
  return new SallyportError('too-large', `DER: ${what}`);
}

/**
 * Refuses whatever is not exactly one DER element (X.690 sections 8 and 10) within the limits: one pass, no allocation.
 * Readers that come after may rely on every nested length, down to the last element that nobody looks at.
 */
export function checkDer(bytes: Uint8Array, limits: DerLimits): void {
  if (bytes.length > limits.maximumBytes) {
    throw tooLarge(`${bytes.length} bytes, at most ${limits.maximumBytes} are read`);
  }
  const check = new Check(bytes, limits);
  const end = check.element(0, bytes.length, 1);
  if (end !== bytes.length) throw malformed(end, `${bytes.length - end} trailing bytes`);
}

class Check {
  readonly #bytes: Uint8Array;
  readonly #limits: DerLimits;
  #elements = 0;

  constructor(bytes: Uint8Array, limits: DerLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  element(start: number, end: number, depth: number): number {
    const bytes = this.#bytes;
    this.#elements += 1;
    if (this.#elements > this.#limits.maximumElements) {
      throw tooLarge(`more than ${this.#limits.maximumElements} elements`);
    }
    const contentStart = headerEnd(bytes, start, end);
    const contentEnd = contentStart + lengthAt(bytes, start);
    if (contentEnd > end) throw malformed(start, 'element is longer than what holds it');

    const tag = octetAt(bytes, start);
    if ((tag & 0x20) === 0) {
      primitive(bytes, tag, contentStart, contentEnd);
      return contentEnd;
    }
    if ((tag & 0xc0) === 0 && tag !== tags.sequence && tag !== tags.set) {
      throw malformed(start, 'constructed encoding of a primitive type');
    }
    if (depth > this.#limits.maximumDepth) {
      throw tooLarge(`nested deeper than ${this.#limits.maximumDepth} levels`);
    }
    let next = contentStart;
    while (next < contentEnd) next = this.element(next, contentEnd, depth + 1);
    return contentEnd;
  }
}

/** Checks identifier and length octets of the element at `start`; gives where its content begins. */
function headerEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 2) throw malformed(start, 'element is cut off');
  if ((octetAt(bytes, start) & 0x1f) === 0x1f) throw malformed(start, 'tag numbers above 30 are not used');
  if (bytes[start] === 0) throw malformed(start, 'tag 0 is reserved');
  const first = octetAt(bytes, start + 1);
  if (first < 0x80) return start + 2;
  if (first === 0x80) throw malformed(start, 'indefinite length');
  const octets = first & 0x7f;
  if (octets > 4) throw malformed(start, 'length of more than four octets');
  if (end - start < 2 + octets) throw malformed(start, 'element is cut off');
  // X.690 section 10.1: the definite form with the minimum number of octets.
  if (bytes[start + 2] === 0 || (octets === 1 && octetAt(bytes, start + 2) < 0x80)) {
    throw malformed(start, 'length is not minimal');
  }
  return start + 2 + octets;
}

/** The length of the content of an element whose header was checked. */
export function lengthAt(bytes: Uint8Array, start: number): number {
  const first = octetAt(bytes, start + 1);
  if (first < 0x80) return first;
  let length = 0;
  for (let i = start + 2; i < start + 2 + (first & 0x7f); i += 1) length = length * 256 + octetAt(bytes, i);
  return length;
}

/** Canonical content of the universal types that have more than one encoding in BER. */
function primitive(bytes: Uint8Array, tag: number, start: number, end: number): void {
  switch (tag) {
    case tags.boolean:
      if (end - start !== 1 || (bytes[start] !== 0 && bytes[start] !== 0xff)) {
        throw malformed(start, 'BOOLEAN is neither 00 nor FF');
      }
      return;
    case tags.integer:
    case tags.enumerated:
      integer(bytes, start, end);
      return;
    case tags.bitString:
      bitString(bytes, start, end);
      return;
    case tags.null:
      if (end !== start) throw malformed(start, 'NULL with content');
      return;
    case tags.oid:
      if (!isOidContent(bytes, start, end)) throw malformed(start, 'OBJECT IDENTIFIER is not minimal');
      return;
    case 0x10:
    case 0x11:
      throw malformed(start, 'primitive encoding of SEQUENCE or SET');
    default:
  }
}

function integer(bytes: Uint8Array, start: number, end: number): void {
  if (end === start) throw malformed(start, 'INTEGER without content');
  if (end - start === 1) return;
  const first = octetAt(bytes, start);
  const signBit = octetAt(bytes, start + 1) & 0x80;
  if ((first === 0 && signBit === 0) || (first === 0xff && signBit !== 0)) {
    throw malformed(start, 'INTEGER is not minimal');
  }
}

function bitString(bytes: Uint8Array, start: number, end: number): void {
  const unusedBits = end === start ? 8 : octetAt(bytes, start);
  if (unusedBits > 7 || (unusedBits > 0 && end - start === 1)) {
    throw malformed(start, 'BIT STRING with a wrong number of unused bits');
  }
  // X.690 section 11.2.1: unused bits are zero.
  if (unusedBits > 0 && (octetAt(bytes, end - 1) & ((1 << unusedBits) - 1)) !== 0) {
    throw malformed(start, 'BIT STRING with unused bits set');
  }
}

/** Whole, minimal arcs (X.690 section 8.19.2), at least one. */
export function isOidContent(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || (octetAt(bytes, end - 1) & 0x80) !== 0) return false;
  let arcStarts = true;
  for (let i = start; i < end; i += 1) {
    if (arcStarts && bytes[i] === 0x80) return false;
    arcStarts = (octetAt(bytes, i) & 0x80) === 0;
  }
  return true;
}
