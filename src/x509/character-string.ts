import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import type { DerNode } from './der-node.ts';
import { tags } from './der-tags.ts';

const stringEncodings = ['utf8', 'printable', 'ia5', 'teletex', 'bmp', 'universal', 'numeric'] as const;
/** The string types of RFC 5280's DirectoryString, with IA5String and NumericString. */
export type StringEncoding = (typeof stringEncodings)[number];

const tagOf: Readonly<Record<StringEncoding, number>> = {
  utf8: tags.utf8String,
  printable: tags.printableString,
  ia5: tags.ia5String,
  teletex: tags.teletexString,
  bmp: tags.bmpString,
  universal: tags.universalString,
  numeric: tags.numericString,
};
const encodingOf = new Map(stringEncodings.map((encoding) => [tagOf[encoding], encoding]));

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** X.680 section 41.4, table 10. */
const isPrintable = characterSet(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?",
);
const isNumeric = characterSet('0123456789 ');

export interface CharacterString {
  readonly value: string;
  readonly encoding: StringEncoding;
}

/**
 * The text of any of the string types, each by its own alphabet. Throws `malformed` for characters outside it and for
 * NUL, which C programs take for the end, `unsupported` for other types, and `too-large` beyond `maximumBytes`.
 */
export function parseString(node: DerNode, maximumBytes: number, what: string): CharacterString {
  const encoding = encodingOf.get(node.tag);
  if (encoding === undefined) {
    throw new SallyportError('unsupported', `${what}: tag 0x${node.tag.toString(16)} is no string type`);
  }
  if (node.contentLength > maximumBytes) {
    throw new SallyportError(
      'too-large',
      `${what}: ${node.contentLength} octets, at most ${maximumBytes} are read`,
    );
  }
  return { value: decodeString(node.content, encoding, what), encoding };
}

/** Tag and octets of a string type. Throws `malformed` where the alphabet has no such character. */
export function encodeString(
  value: string,
  encoding: StringEncoding,
): { readonly tag: number; readonly content: Uint8Array } {
  return { tag: tagOf[encoding], content: encodeContent(value, encoding) };
}

/** True where every character is in PrintableString's alphabet. */
export function isPrintableText(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) if (isPrintable[value.charCodeAt(i)] !== 1) return false;
  return true;
}

function decodeString(content: Uint8Array, encoding: StringEncoding, what: string): string {
  switch (encoding) {
    case 'utf8':
      return decodeUtf8(content, what);
    case 'printable':
      return decodeBytes(content, (byte) => isPrintable[byte] === 1, what);
    case 'numeric':
      return decodeBytes(content, (byte) => isNumeric[byte] === 1, what);
    case 'ia5':
      return decodeBytes(content, (byte) => byte > 0 && byte < 0x80, what);
    case 'teletex':
      // T.61 is dead; what writes this type today means ISO 8859-1 (as OpenSSL and Go read it).
      return decodeBytes(content, (byte) => byte > 0, what);
    case 'bmp':
      return decodeWide(content, 2, what);
    case 'universal':
      return decodeWide(content, 4, what);
  }
}

function decodeUtf8(content: Uint8Array, what: string): string {
  let text = '';
  for (const byte of content) {
    if (byte === 0) throw badCharacter(what);
    if (byte >= 0x80) {
      try {
        text = strictUtf8.decode(content);
      } catch (error) {
        throw new SallyportError('malformed', `${what}: not UTF-8`, { cause: error });
      }
      if (text.includes('\0')) throw badCharacter(what);
      return text;
    }
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeBytes(content: Uint8Array, allowed: (byte: number) => boolean, what: string): string {
  let text = '';
  for (const byte of content) {
    if (!allowed(byte)) throw badCharacter(what);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** BMPString (two octets a character) and UniversalString (four), big-endian, neither with surrogates. */
function decodeWide(content: Uint8Array, width: 2 | 4, what: string): string {
  if (content.length % width !== 0) throw badCharacter(what);
  let text = '';
  for (let i = 0; i < content.length; i += width) {
    let codePoint = 0;
    for (let j = 0; j < width; j += 1) codePoint = codePoint * 256 + octetAt(content, i + j);
    if (codePoint === 0 || codePoint > 0x10ffff || isSurrogate(codePoint)) throw badCharacter(what);
    text += String.fromCodePoint(codePoint);
  }
  return text;
}

function encodeContent(value: string, encoding: StringEncoding): Uint8Array {
  if (value.includes('\0') || !value.isWellFormed()) throw badCharacter(`a ${encoding} string`);
  switch (encoding) {
    case 'utf8':
      return utf8Encoder.encode(value);
    case 'printable':
      return encodeBytes(value, encoding, (code) => isPrintable[code] === 1);
    case 'numeric':
      return encodeBytes(value, encoding, (code) => isNumeric[code] === 1);
    case 'ia5':
      return encodeBytes(value, encoding, (code) => code < 0x80);
    case 'teletex':
      return encodeBytes(value, encoding, (code) => code < 0x100);
    case 'bmp':
      return encodeWide(value, encoding, 2);
    case 'universal':
      return encodeWide(value, encoding, 4);
  }
}

function encodeBytes(
  value: string,
  encoding: StringEncoding,
  allowed: (code: number) => boolean,
): Uint8Array {
  const content = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if (!allowed(code)) throw badCharacter(`a ${encoding} string`);
    content[i] = code;
  }
  return content;
}

function encodeWide(value: string, encoding: StringEncoding, width: 2 | 4): Uint8Array {
  const codePoints = Array.from(value, (character) => character.codePointAt(0) ?? 0);
  const content = new Uint8Array(codePoints.length * width);
  const view = new DataView(content.buffer);
  for (const [i, codePoint] of codePoints.entries()) {
    if (width === 4) view.setUint32(i * 4, codePoint);
    else if (codePoint <= 0xffff) view.setUint16(i * 2, codePoint);
    else throw badCharacter(`a ${encoding} string`);
  }
  return content;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

function badCharacter(what: string): SallyportError {
  return new SallyportError('malformed', `${what}: a character that its string type does not have`);
}

function characterSet(characters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}
