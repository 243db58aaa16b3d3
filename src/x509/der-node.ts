import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import { checkDer, lengthAt } from './der-check.ts';
import { type DerLimits, defaultDerLimits } from './der-limits.ts';
import { tags } from './der-tags.ts';
import { decodeOid } from './oid.ts';
import { parseTime } from './time.ts';

/** One DER element, identifier octet to last content octet. Never changed after it was handed over: values are views of it. */
export type Der = Uint8Array;

/**
 * Checks `bytes` to be one DER element within the limits and gives it for reading. Everything read from it is a view of
 * `bytes`, which therefore must not change afterwards. Throws `malformed` or `too-large`.
 */
export function readDer(bytes: Uint8Array, limits: DerLimits = defaultDerLimits): DerNode {
  checkDer(bytes, limits);
  // A Buffer is turned into its plain view: subarrays of Buffers cost three times as much.
  const plain =
    bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return new DerNode(plain, 0);
}

/** An element of checked bytes. The typed readers refuse another type by name. */
export class DerNode {
  /** The identifier octet. */
  readonly tag: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #contentStart: number;
  readonly end: number;

  /** `start` is the offset of an element that `checkDer` has seen. */
  constructor(bytes: Uint8Array, start: number) {
    const first = octetAt(bytes, start + 1);
    this.tag = octetAt(bytes, start);
    this.#bytes = bytes;
    this.#start = start;
    this.#contentStart = start + 2 + (first < 0x80 ? 0 : first & 0x7f);
    this.end = this.#contentStart + lengthAt(bytes, start);
  }

  /** The whole element. */
  get der(): Der {
    return this.#bytes.subarray(this.#start, this.end);
  }

  get content(): Uint8Array {
    return this.#bytes.subarray(this.#contentStart, this.end);
  }

  get contentLength(): number {
    return this.end - this.#contentStart;
  }

  /** The elements inside; `what` names this one in error messages. Throws `malformed` unless constructed. */
  children(what: string): DerCursor {
    if ((this.tag & 0x20) === 0) throw new SallyportError('malformed', `${what}: has no elements inside`);
    return new DerCursor(this.#bytes, this.#contentStart, this.end, what);
  }

  sequence(what: string): DerCursor {
    this.#require(tags.sequence, what, 'SEQUENCE');
    return this.children(what);
  }

  set(what: string): DerCursor {
    this.#require(tags.set, what, 'SET');
    return this.children(what);
  }

  boolean(what: string): boolean {
    this.#require(tags.boolean, what, 'BOOLEAN');
    return this.#bytes[this.#contentStart] === 0xff;
  }

  /** The two's complement octets of an INTEGER. */
  integerBytes(what: string): Uint8Array {
    this.#require(tags.integer, what, 'INTEGER');
    return this.content;
  }

  /** The octets of a non-negative INTEGER, without the sign octet. Zero is one octet. */
  unsignedBytes(what: string): Uint8Array {
    const bytes = this.integerBytes(what);
    if (octetAt(bytes, 0) >= 0x80) throw new SallyportError('malformed', `${what}: negative`);
    return bytes[0] === 0 && bytes.length > 1 ? bytes.subarray(1) : bytes;
  }

  integer(what: string): bigint {
    const bytes = this.integerBytes(what);
    return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toHex()}`));
  }

  /** An INTEGER or ENUMERATED from 0 to 2^31 - 1; `malformed` beyond. */
  smallInteger(what: string, tag: number = tags.integer): number {
    this.#require(tag, what, tag === tags.integer ? 'INTEGER' : 'small integer');
    const length = this.contentLength;
    if (length > 4 || octetAt(this.#bytes, this.#contentStart) >= 0x80) {
      throw new SallyportError('malformed', `${what}: out of range`);
    }
    let value = 0;
    for (let i = this.#contentStart; i < this.end; i += 1) value = value * 256 + octetAt(this.#bytes, i);
    return value;
  }

  oid(what: string, tag: number = tags.oid): string {
    this.#require(tag, what, 'OBJECT IDENTIFIER');
    return decodeOid(this.#bytes, this.#contentStart, this.end);
  }

  octetString(what: string, tag: number = tags.octetString): Uint8Array {
    this.#require(tag, what, 'OCTET STRING');
    return this.content;
  }

  /** A BIT STRING of whole octets, as keys and signatures are. */
  bitStringOctets(what: string): Uint8Array {
    this.#require(tags.bitString, what, 'BIT STRING');
    if (this.#bytes[this.#contentStart] !== 0) {
      throw new SallyportError('malformed', `${what}: is not a whole number of octets`);
    }
    return this.#bytes.subarray(this.#contentStart + 1, this.end);
  }

  null(what: string): null {
    this.#require(tags.null, what, 'NULL');
    return null;
  }

  /** UTCTime or GeneralizedTime as milliseconds since 1970. */
  time(what: string): number {
    return parseTime(this.tag, this.#bytes, this.#contentStart, this.end, what);
  }

  #require(tag: number, what: string, type: string): void {
    if (this.tag !== tag) {
      throw new SallyportError(
        'malformed',
        `${what}: expected ${type}, found tag 0x${this.tag.toString(16)}`,
      );
    }
  }
}

/** The elements of a constructed element, one after the other. */
export class DerCursor {
  readonly what: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start: number, end: number, what: string) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.what = what;
  }

  get more(): boolean {
    return this.#position < this.#end;
  }

  /** The next element; throws `malformed` where there is none. */
  next(): DerNode {
    if (this.#position >= this.#end) {
      throw new SallyportError('malformed', `${this.what}: an element is missing`);
    }
    const node = new DerNode(this.#bytes, this.#position);
    this.#position = node.end;
    return node;
  }

  /** The elements that are left. */
  *[Symbol.iterator](): Generator<DerNode, void> {
    while (this.more) yield this.next();
  }

  /** The next element where its identifier octet is `tag`, else null and nothing is read. */
  optional(tag: number): DerNode | null {
    return this.more && this.#bytes[this.#position] === tag ? this.next() : null;
  }

  /** Throws `malformed` where elements are left. */
  finish(): void {
    if (this.more) throw new SallyportError('malformed', `${this.what}: an element too many`);
  }
}
