import type { Name, NameAttribute, Rdn } from './name.ts';

/** Of the same text in any of these, RFC 5280 section 7.1 makes the same name. What other types mean is less certain: they are compared as they stand. */
const prepared: ReadonlySet<NameAttribute['encoding']> = new Set(['utf8', 'printable']);

const keys = new WeakMap<Name, string>();

/**
 * RFC 5280 section 7.1, by which a certificate finds its issuer: same RDNs in the same order, whatever string type they are written in, without letter case, and with
 * spaces as RFC 4518 section 2.6.1 has them. It says who may have signed. That it did, a signature alone says; what is in force for a name of an operator's, `sameName` does.
 */
export function matchesName(a: Name, b: Name): boolean {
  return a.length === b.length && matchingKey(a) === matchingKey(b);
}

/** One text for all names that match. Computed once for a name: a vendor's CAs are compared with every certificate that is sent. */
export function matchingKey(name: Name): string {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = JSON.stringify(name.map(rdnKey));
  keys.set(name, key);
  return key;
}

function rdnKey(rdn: Rdn): readonly string[] {
  return rdn.map(attributeKey).toSorted();
}

function attributeKey({ type, value, encoding }: NameAttribute): string {
  return JSON.stringify(prepared.has(encoding) ? [type, prepare(value)] : [type, encoding, value]);
}

/** RFC 4518 sections 2.2, 2.3 and 2.6.1, without what is prohibited or mapped to nothing: names that have it match no others but by their octets. */
function prepare(value: string): string {
  const folded = value.normalize('NFKC').toLowerCase().normalize('NFKC');
  return folded.replace(/^ +| +$/g, '').replace(/ +/g, ' ');
}
