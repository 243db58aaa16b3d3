import { SallyportError } from '#errors';
import { type Der, type DerCursor, type DerNode, readDer } from './der-node.ts';
import { contextConstructed } from './der-tags.ts';

export interface RequestAttribute {
  /** Dotted OID. */
  readonly oid: string;
  /** At least one. */
  readonly values: readonly Der[];
}

const maximumAttributes = 32;
const maximumValues = 16;

/**
 * [0] IMPLICIT SET OF Attribute. Its order is not checked: real clients (strongSwan) leave it unsorted. RFC 2986 section 4.1 does not let it
 * be absent, but pyOpenSSL (its issue 426) and Peculiar Ventures' x509 (114) leave it out where it is empty, and OpenSSL reads that as empty.
 */
export function attributesOf(fields: DerCursor): RequestAttribute[] {
  const set = fields.optional(contextConstructed(0))?.children('attributes');
  if (set === undefined) return [];
  const attributes: RequestAttribute[] = [];
  while (set.more) {
    if (attributes.length === maximumAttributes) {
      throw new SallyportError(
        'too-large',
        `CertificationRequestInfo: more than ${maximumAttributes} attributes`,
      );
    }
    const attribute = attributeOf(set.next().sequence('Attribute'));
    if (attributes.some(({ oid }) => oid === attribute.oid)) {
      throw new SallyportError('malformed', `CertificationRequestInfo: attribute ${attribute.oid} twice`);
    }
    attributes.push(attribute);
  }
  return attributes;
}

/**
 * What an attribute that is SINGLE VALUE TRUE says, null where it is not there. Throws `malformed` where it has several
 * values, and as `parse` does.
 */
export function singleValueOf<T>(
  attributes: readonly RequestAttribute[],
  oid: string,
  parse: (value: DerNode) => T,
): T | null {
  const attribute = attributes.find((each) => each.oid === oid);
  if (attribute === undefined) return null;
  const [value] = attribute.values;
  if (value === undefined || attribute.values.length > 1) {
    throw new SallyportError('malformed', `attribute ${oid}: must have one value`);
  }
  return parse(readDer(value));
}

function attributeOf(fields: DerCursor): RequestAttribute {
  const oid = fields.next().oid('attribute type');
  const set = fields.next().set('attribute values');
  fields.finish();
  const values = [set.next().der];
  while (set.more) {
    if (values.length === maximumValues) {
      throw new SallyportError('too-large', `attribute ${oid}: more than ${maximumValues} values`);
    }
    values.push(set.next().der);
  }
  return { oid, values };
}
