import { SallyportError } from '#errors';
import { type Der, type DerCursor, type DerNode, readDer } from './der-node.ts';
import { contextConstructed, contextPrimitive } from './der-tags.ts';
import { der } from './der-writer.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import { type Name, encodeName, nameKey, nameOf } from './name.ts';
import { decodeOid, encodeOid } from './oid.ts';

/** RFC 5280 section 4.2.1.6, as JSON can carry it. */
export type GeneralName =
  /** Text as it stands in the certificate; for `ip` the canonical text of the address. */
  | { readonly kind: 'dns' | 'email' | 'uri' | 'ip'; readonly value: string }
  | { readonly kind: 'directoryName'; readonly value: Name }
  /** `type` is a dotted OID, `value` the base64 of the DER inside [0]. */
  | { readonly kind: 'otherName'; readonly type: string; readonly value: string }
  /** Dotted OID. */
  | { readonly kind: 'registeredId'; readonly value: string }
  /** x400Address (3) or ediPartyName (5): the base64 of its content octets. */
  | { readonly kind: 'other'; readonly tag: number; readonly value: string };

export type OtherName = Extract<GeneralName, { readonly kind: 'otherName' }>;

const maximumNames = 256;
const maximumTextBytes = 2048;

const textTags = { email: 1, dns: 2, uri: 6 } as const;

/** GeneralNames: SEQUENCE SIZE (1..MAX) OF GeneralName. */
export function parseGeneralNames(bytes: Der): GeneralName[] {
  return generalNamesOf(readDer(bytes).sequence('GeneralNames'));
}

/** The names of a cursor over GeneralNames, whose own tag may be implicit. */
export function generalNamesOf(names: DerCursor): GeneralName[] {
  if (!names.more) throw new SallyportError('malformed', 'GeneralNames: empty');
  const parsed: GeneralName[] = [];
  for (const node of names) {
    if (parsed.length === maximumNames) {
      throw new SallyportError('too-large', `GeneralNames: more than ${maximumNames} names`);
    }
    parsed.push(generalNameOf(node));
  }
  return parsed;
}

export function encodeGeneralNames(names: readonly GeneralName[]): Der {
  if (names.length === 0) throw new SallyportError('malformed', 'GeneralNames: empty');
  return der.sequence(...names.map(encodeGeneralName));
}

/** Same names, whatever their order. A name twice is the name once. */
export function sameGeneralNames(a: readonly GeneralName[], b: readonly GeneralName[]): boolean {
  const left = new Set(a.map(generalNameKey));
  const right = new Set(b.map(generalNameKey));
  return left.size === right.size && left.isSubsetOf(right);
}

/** One text for all general names that are the same. */
export function generalNameKey(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return `directoryName:${nameKey(name.value)}`;
    case 'otherName':
      return `otherName:${name.type}:${name.value}`;
    case 'other':
      return `${name.tag}:${name.value}`;
    default:
      return `${name.kind}:${name.value}`;
  }
}

export function generalNameOf(node: DerNode): GeneralName {
  switch (node.tag) {
    case contextConstructed(0):
      return otherNameOf(node);
    case contextPrimitive(1):
      return { kind: 'email', value: textOf(node) };
    case contextPrimitive(2):
      return { kind: 'dns', value: textOf(node) };
    case contextConstructed(3):
    case contextConstructed(5):
      return { kind: 'other', tag: node.tag & 0x1f, value: node.content.toBase64() };
    case contextConstructed(4):
      return directoryNameOf(node);
    case contextPrimitive(6):
      return { kind: 'uri', value: textOf(node) };
    case contextPrimitive(7):
      return { kind: 'ip', value: formatIpAddress(node.content) };
    case contextPrimitive(8):
      return { kind: 'registeredId', value: decodeOid(node.content) };
    default:
      throw new SallyportError(
        'malformed',
        `GeneralName: tag 0x${node.tag.toString(16)} is none of its choices`,
      );
  }
}

function otherNameOf(node: DerNode): GeneralName {
  const fields = node.children('otherName');
  const type = fields.next().oid('otherName type');
  const explicit = fields.next();
  fields.finish();
  if (explicit.tag !== contextConstructed(0)) {
    throw new SallyportError('malformed', 'otherName: value is not [0]');
  }
  const inside = explicit.children('otherName value');
  const value = inside.next().der.toBase64();
  inside.finish();
  return { kind: 'otherName', type, value };
}

/** [4] is explicit although the module's default is implicit: Name is a CHOICE (X.680 section 31.2.7). */
function directoryNameOf(node: DerNode): GeneralName {
  const inside = node.children('directoryName');
  const value = nameOf(inside.next());
  inside.finish();
  return { kind: 'directoryName', value };
}

/** IA5String without control characters: none of these kinds has them, and they cut short or forge what is shown. */
function textOf(node: DerNode): string {
  if (node.contentLength > maximumTextBytes) {
    throw new SallyportError('too-large', `GeneralName of ${node.contentLength} octets`);
  }
  if (node.contentLength === 0) throw notVisible();
  let text = '';
  for (const byte of node.content) {
    if (!isVisible(byte)) throw notVisible();
    text += String.fromCharCode(byte);
  }
  return text;
}

/** What [0] of an otherName holds. Throws `malformed` where the text is not the base64 of one DER element. */
export function otherNameValue(name: OtherName): DerNode {
  return readDer(fromBase64(name.value));
}

export function encodeGeneralName(name: GeneralName): Der {
  switch (name.kind) {
    case 'dns':
    case 'email':
    case 'uri':
      if (!/^[ -~]+$/.test(name.value)) throw notVisible();
      return der.implicit(textTags[name.kind], der.ia5String(name.value));
    case 'ip':
      return der.implicit(7, der.octetString(parseIpAddress(name.value)));
    case 'directoryName':
      return der.explicit(4, encodeName(name.value));
    case 'otherName':
      return der.implicitConstructed(0, der.oid(name.type), der.explicit(0, otherNameValue(name).der));
    case 'registeredId':
      return der.implicit(8, der.octetString(encodeOid(name.value)));
    case 'other':
      return encodeOther(name.tag, name.value);
  }
}

function encodeOther(tag: number, base64: string): Der {
  if (tag !== 3 && tag !== 5) {
    throw new SallyportError('malformed', `GeneralName: [${tag}] has a kind of its own`);
  }
  const element = der.implicitConstructed(tag, fromBase64(base64));
  readDer(element);
  return element;
}

function fromBase64(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: 'strict' });
  } catch (error) {
    throw new SallyportError('malformed', 'GeneralName: value is not base64', { cause: error });
  }
}

function isVisible(code: number): boolean {
  return code >= 0x20 && code < 0x7f;
}

function notVisible(): SallyportError {
  return new SallyportError('malformed', 'GeneralName: empty, or a character that is not visible ASCII');
}
