import { SallyportError } from '#errors';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Also what ends a cycle. */
const maximumDepth = 64;

/**
 * RFC 8785: members sorted by UTF-16 code units, no white space, strings and numbers as ECMAScript writes
 * them. What JSON cannot carry is refused, never dropped or converted: undefined, NaN, infinities, bigints,
 * functions, class instances.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, 0);
}

function encode(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      return encodeNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : encodeComposite(value, depth + 1);
    default:
      throw new SallyportError('malformed', `JSON cannot hold a value of type ${typeof value}`);
  }
}

/** RFC 8785 section 3.2.2.2: lone surrogates end encoding "with an appropriate error". */
function encodeString(value: string): string {
  if (!value.isWellFormed()) throw new SallyportError('malformed', 'JSON cannot hold a lone surrogate');
  return JSON.stringify(value);
}

/** RFC 8785 section 3.2.2.3. Minus zero becomes 0. */
function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new SallyportError('malformed', `JSON cannot hold the number ${value}`);
  return String(value);
}

function encodeComposite(value: object, depth: number): string {
  if (depth > maximumDepth) {
    throw new SallyportError('too-large', `JSON nested deeper than ${maximumDepth} levels`);
  }
  if (Array.isArray(value)) {
    // Array.from, for map skips the holes of a sparse array.
    return `[${Array.from(value, (item) => encode(item, depth)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new SallyportError('malformed', 'JSON holds plain objects and arrays only');
  }
  return encodeMembers(value as Readonly<Record<string, unknown>>, depth);
}

/** RFC 8785 section 3.2.3. The default order of `sort` is that of UTF-16 code units. */
function encodeMembers(members: Readonly<Record<string, unknown>>, depth: number): string {
  let text = '';
  for (const name of Object.keys(members).sort()) {
    text += `${text === '' ? '{' : ','}${encodeName(name)}${encode(members[name], depth)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** The names of members are few, and the same in every entry: each is written once. Bounded, for whoever names members after what others send. */
const encodedNames = new Map<string, string>();
const maximumNames = 1_024;

function encodeName(name: string): string {
  const known = encodedNames.get(name);
  if (known !== undefined) return known;
  const encoded = `${encodeString(name)}:`;
  if (encodedNames.size < maximumNames) encodedNames.set(name, encoded);
  return encoded;
}
