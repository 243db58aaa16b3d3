/** An element with a length, as DER has it; the parts in the order given. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const digits = content.length.toString(16);
  const octets = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  const length = content.length < 0x80 ? octets : Buffer.concat([Buffer.of(0x80 | octets.length), octets]);
  return Buffer.concat([Buffer.of(tag), length, content]);
}

/** An element without one, ended by end-of-contents octets (X.690 section 8.1.3.6). */
export function unending(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]);
}

/** How a client writes what goes around and into its messages. */
export interface BerForm {
  /** SEQUENCE and explicit tags around the contents. */
  readonly around: (tag: number, ...parts: readonly Uint8Array[]) => Buffer;
  /** An OCTET STRING: `tag` as it is in one piece. */
  readonly octets: (tag: number, bytes: Uint8Array) => Buffer;
}

export const inDer: BerForm = { around: element, octets: element };

/** Octet strings in pieces of so many octets, without a length, and all around them without one: how messages are written that begin before they are known. */
export function streamed(pieceOctets: number): BerForm {
  return {
    around: unending,
    octets: (tag, bytes) => unending(tag | 0x20, ...piecesOf(bytes, pieceOctets)),
  };
}

/** Octet strings in pieces, and everything with its length. */
export function inPieces(pieceOctets: number): BerForm {
  return {
    around: element,
    octets: (tag, bytes) => element(tag | 0x20, ...piecesOf(bytes, pieceOctets)),
  };
}

function piecesOf(bytes: Uint8Array, octets: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += octets) {
    pieces.push(element(0x04, bytes.subarray(at, at + octets)));
  }
  return pieces;
}
