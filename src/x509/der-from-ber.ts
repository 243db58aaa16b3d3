import { SallyportError } from '#errors';
import type { DerLimits } from './der-limits.ts';
import { type Der, DerNode } from './der-node.ts';
import { tags } from './der-tags.ts';
import { constructed } from './der-writer.ts';
import { octetAt } from './octets.ts';

const constructedBit = 0x20;
const constructedOctetString = tags.octetString | constructedBit;

/**
 * The element with definite, minimal lengths and its octet strings in one piece (X.690 sections 8.1.3 and 8.7): CMS messages of devices come in
 * pieces of indefinite length. What is DER comes out as it went in, so that certificates inside keep their signatures. `readDer` says what else DER
 * demands. Octet strings under a context tag stay in pieces, since nothing here says that they are some.
 *
 * @throws SallyportError 'malformed' or 'too-large'
 */
export function derFromBer(bytes: Uint8Array, limits: DerLimits): Der {
  if (bytes.length > limits.maximumBytes) {
    throw tooLarge(`${bytes.length} bytes, at most ${limits.maximumBytes} are read`);
  }
  const { der, end } = new Conversion(bytes, limits).element(0, bytes.length, 1);
  if (end !== bytes.length) throw malformed(end, `${bytes.length - end} trailing bytes`);
  return der;
}

interface Converted {
  readonly der: Der;
  /** Where it ends in the input. */
  readonly end: number;
}

class Conversion {
  readonly #bytes: Uint8Array;
  readonly #limits: DerLimits;
  #elements = 0;

  constructor(bytes: Uint8Array, limits: DerLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  element(start: number, limit: number, depth: number): Converted {
    this.#elements += 1;
    if (this.#elements > this.#limits.maximumElements) {
      throw tooLarge(`more than ${this.#limits.maximumElements} elements`);
    }
    if (depth > this.#limits.maximumDepth) {
      throw tooLarge(`nested deeper than ${this.#limits.maximumDepth} levels`);
    }
    const { tag, contentStart, contentEnd } = headerAt(this.#bytes, start, limit);
    if ((tag & constructedBit) === 0) {
      if (contentEnd === null) throw malformed(start, 'indefinite length of a primitive element');
      const content = this.#bytes.subarray(contentStart, contentEnd);
      return { der: constructed(tag, [content]), end: contentEnd };
    }
    const { parts, end } = this.#parts(contentStart, contentEnd, limit, depth);
    if (tag !== constructedOctetString) return { der: constructed(tag, parts), end };
    // Pieces of pieces have been joined one level below.
    const pieces = parts.map((piece) => new DerNode(piece, 0).octetString('a piece of an OCTET STRING'));
    return { der: constructed(tags.octetString, pieces), end };
  }

  /** `contentEnd` is null where end-of-contents octets tell it. */
  #parts(
    contentStart: number,
    contentEnd: number | null,
    limit: number,
    depth: number,
  ): { parts: Der[]; end: number } {
    const parts: Der[] = [];
    let at = contentStart;
    while (contentEnd === null ? !isEndOfContents(this.#bytes, at, limit) : at < contentEnd) {
      const { der, end } = this.element(at, contentEnd ?? limit, depth + 1);
      parts.push(der);
      at = end;
    }
    return { parts, end: contentEnd ?? at + 2 };
  }
}

function headerAt(
  bytes: Uint8Array,
  start: number,
  limit: number,
): { tag: number; contentStart: number; contentEnd: number | null } {
  if (limit - start < 2) throw malformed(start, 'element is cut off');
  const tag = octetAt(bytes, start);
  if ((tag & 0x1f) === 0x1f) throw malformed(start, 'tag numbers above 30 are not used');
  if (tag === 0) throw malformed(start, 'end of contents where none is due');
  const first = octetAt(bytes, start + 1);
  if (first === 0x80) return { tag, contentStart: start + 2, contentEnd: null };
  const contentStart = start + 2 + (first < 0x80 ? 0 : first & 0x7f);
  if (contentStart > limit) throw malformed(start, 'element is cut off');
  let length = first < 0x80 ? first : 0;
  for (let at = start + 2; at < contentStart; at += 1) {
    length = length * 256 + octetAt(bytes, at);
    // Of up to 126 octets: looked at while it is still exact.
    if (length > limit) break;
  }
  if (contentStart + length > limit) throw malformed(start, 'element is longer than what holds it');
  return { tag, contentStart, contentEnd: contentStart + length };
}

function isEndOfContents(bytes: Uint8Array, at: number, limit: number): boolean {
  if (limit - at < 2) throw malformed(at, 'indefinite length without its end');
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

function malformed(offset: number, what: string): SallyportError {
  return new SallyportError('malformed', `BER at byte ${offset}: ${what}`);
}

function tooLarge(what: string): SallyportError {
  return new SallyportError('too-large', `BER: ${what}`);
}
