import { SallyportError } from '#errors';
import { type StringEncoding, parseString } from './character-string.ts';
import { type Der, type DerNode, readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { attributeEncoding, attributeTypeOid } from './name-attributes.ts';

export interface NameAttribute {
  /** Dotted OID. */
  readonly type: string;
  readonly value: string;
  readonly encoding: StringEncoding;
}

/** RelativeDistinguishedName: a set, nearly always of one. */
export type Rdn = readonly NameAttribute[];

/** An X.501 distinguished name, most significant first, as JSON can carry it. */
export type Name = readonly Rdn[];

const maximumAttributes = 64;
const maximumValueBytes = 2048;

export function parseName(bytes: Der): Name {
  return nameOf(readDer(bytes));
}

/**
 * RFC 5280 section 4.1.2.4. Values of other types than strings are `unsupported`. The order inside an RDN is not checked:
 * no meaning hangs on it, and TPM vendors write manufacturer, model and version in their own.
 */
export function nameOf(node: DerNode): Name {
  const rdns = node.sequence('Name');
  const name: Rdn[] = [];
  let attributes = 0;
  while (rdns.more) {
    const members = rdns.next().set('RelativeDistinguishedName');
    const rdn: NameAttribute[] = [];
    do {
      attributes += 1;
      if (attributes > maximumAttributes) {
        throw new SallyportError('too-large', `Name: more than ${maximumAttributes} attributes`);
      }
      rdn.push(attributeOf(members.next()));
    } while (members.more);
    name.push(rdn);
  }
  return name;
}

function attributeOf(node: DerNode): NameAttribute {
  const fields = node.sequence('AttributeTypeAndValue');
  const type = fields.next().oid('attribute type');
  const { value, encoding } = parseString(fields.next(), maximumValueBytes, 'attribute value');
  fields.finish();
  return { type, value, encoding };
}

export function encodeName(name: Name): Der {
  return der.sequence(...name.map(encodeRdn));
}

/**
 * A name of one attribute an RDN. `type` is a name of `attributeTypes` or a dotted OID; encodings are those of RFC 5280.
 * Throws `malformed` for an unknown name, an empty value or a character that the type's encoding does not have.
 */
export function buildName(attributes: readonly { readonly type: string; readonly value: string }[]): Name {
  return attributes.map(({ type, value }) => {
    if (value === '') throw new SallyportError('malformed', `the value of ${type} is empty`);
    const oid = attributeTypeOid(type);
    const encoding = attributeEncoding(oid);
    der.string(value, encoding);
    return [{ type: oid, value, encoding }];
  });
}

/** Same RDNs in the same order, each with the same types and values. The string types do not count, letter case does. */
export function sameName(a: Name, b: Name): boolean {
  return a.length === b.length && nameKey(a) === nameKey(b);
}

/** One text for all names that `sameName` holds to be the same. */
export function nameKey(name: Name): string {
  return JSON.stringify(name.map(rdnKey));
}

function encodeRdn(rdn: Rdn): Der {
  if (rdn.length === 0) throw new SallyportError('malformed', 'RelativeDistinguishedName: empty');
  return der.set(
    ...rdn.map(({ type, value, encoding }) => der.sequence(der.oid(type), der.string(value, encoding))),
  );
}

function rdnKey(rdn: Rdn): string {
  return rdn
    .map(({ type, value }) => JSON.stringify([type, value]))
    .toSorted()
    .join();
}
