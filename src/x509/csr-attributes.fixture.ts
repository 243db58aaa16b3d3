import {
  AsnArray,
  AsnConvert,
  AsnProp,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  OctetString,
} from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Attribute, Extensions } from '@peculiar/asn1-x509';
import { type CsrAttributesWishes, type Der, type KeyWish, encodeCsrAttributes, oids } from '#x509';

export const p256 = { kind: 'ec', curve: 'P-256' } as const satisfies KeyWish;

/** Of a client that is asked for a P-256 key and for nothing else but this. */
export function encode(wishes: Partial<CsrAttributesWishes> = {}): Der {
  return encodeCsrAttributes({
    challengePassword: false,
    subject: [],
    subjectAltName: [],
    key: p256,
    keyUsage: [],
    extendedKeyUsage: [],
    extensions: [],
    ...wishes,
  });
}

export function read(wishes: Partial<CsrAttributesWishes> = {}): CsrAttributes {
  return parseCsrAttributes(encode(wishes));
}

/**
 * CsrAttrs as another ASN.1 library reads them by the modules of RFC 7030 and RFC 9908, for comparison with what we write.
 * Its decorators are called, for Node.js strips types and does not know them.
 */
export interface CsrAttributes {
  /** Elements that are an OID alone. */
  readonly oids: readonly string[];
  /** Other elements but the template, their values as DER. */
  readonly attributes: readonly ReadAttribute[];
  readonly template: ReadTemplate;
}

export interface ReadAttribute {
  readonly type: string;
  readonly values: readonly Uint8Array[];
}

export interface ReadTemplate {
  readonly version: number;
  readonly subject: readonly { readonly type: string; readonly value: Uint8Array | null }[] | null;
  readonly algorithm: AlgorithmIdentifier;
  readonly subjectPublicKey: Uint8Array | null;
  readonly attributes: readonly ReadAttribute[];
}

export interface ReadExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

class AttrOrOid {
  oid?: string;
  attribute?: Attribute;
}
AsnType({ type: AsnTypeTypes.Choice })(AttrOrOid);
AsnProp({ type: AsnPropTypes.ObjectIdentifier })(AttrOrOid.prototype, 'oid');
AsnProp({ type: Attribute })(AttrOrOid.prototype, 'attribute');

class CsrAttrs extends AsnArray<AttrOrOid> {}
AsnType({ type: AsnTypeTypes.Sequence, itemType: AttrOrOid })(CsrAttrs);

class SingleAttributeTemplate {
  type = '';
  value?: ArrayBuffer;
}
AsnProp({ type: AsnPropTypes.ObjectIdentifier })(SingleAttributeTemplate.prototype, 'type');
AsnProp({ type: AsnPropTypes.Any, optional: true })(SingleAttributeTemplate.prototype, 'value');

class RdnTemplate extends AsnArray<SingleAttributeTemplate> {}
AsnType({ type: AsnTypeTypes.Set, itemType: SingleAttributeTemplate })(RdnTemplate);

class NameTemplate extends AsnArray<RdnTemplate> {}
AsnType({ type: AsnTypeTypes.Sequence, itemType: RdnTemplate })(NameTemplate);

class SubjectPublicKeyInfoTemplate {
  algorithm = new AlgorithmIdentifier();
  subjectPublicKey?: ArrayBuffer;
}
AsnProp({ type: AlgorithmIdentifier })(SubjectPublicKeyInfoTemplate.prototype, 'algorithm');
AsnProp({ type: AsnPropTypes.BitString, optional: true })(
  SubjectPublicKeyInfoTemplate.prototype,
  'subjectPublicKey',
);

class CertificationRequestInfoTemplate {
  version = -1;
  subject?: NameTemplate;
  subjectPKInfo = new SubjectPublicKeyInfoTemplate();
  attributes: Attribute[] = [];
}
AsnProp({ type: AsnPropTypes.Integer })(CertificationRequestInfoTemplate.prototype, 'version');
AsnProp({ type: NameTemplate, optional: true })(CertificationRequestInfoTemplate.prototype, 'subject');
AsnProp({ type: SubjectPublicKeyInfoTemplate, context: 0, implicit: true })(
  CertificationRequestInfoTemplate.prototype,
  'subjectPKInfo',
);
AsnProp({ type: Attribute, repeated: 'set', context: 1, implicit: true })(
  CertificationRequestInfoTemplate.prototype,
  'attributes',
);

/** Throws where the bytes are not what the modules say, or there is not one template of one value. */
export function parseCsrAttributes(bytes: Der): CsrAttributes {
  const elements = [...AsnConvert.parse(bytes, CsrAttrs)];
  const attributes = elements.flatMap(({ attribute }) =>
    attribute === undefined ? [] : [readAttribute(attribute)],
  );
  const templates = attributes.filter(({ type }) => type === oids.certificationRequestInfoTemplate);
  const [value, ...others] = templates.flatMap(({ values }) => values);
  if (value === undefined || others.length > 0) throw new Error('not one template');
  return {
    oids: elements.flatMap(({ oid }) => oid ?? []),
    attributes: attributes.filter((each) => !templates.includes(each)),
    template: parseTemplate(value),
  };
}

function parseTemplate(value: Uint8Array): ReadTemplate {
  const { version, subject, subjectPKInfo, attributes } = AsnConvert.parse(
    value,
    CertificationRequestInfoTemplate,
  );
  const key = subjectPKInfo.subjectPublicKey;
  return {
    version,
    subject: subject === undefined ? null : [...subject].map(onlyAttribute),
    algorithm: subjectPKInfo.algorithm,
    subjectPublicKey: key === undefined ? null : new Uint8Array(key),
    attributes: attributes.map(readAttribute),
  };
}

function onlyAttribute(rdn: RdnTemplate): { type: string; value: Uint8Array | null } {
  const [only, ...others] = rdn;
  if (only === undefined || others.length > 0) throw new Error('not one attribute an RDN');
  return { type: only.type, value: only.value === undefined ? null : new Uint8Array(only.value) };
}

function readAttribute({ type, values }: Attribute): ReadAttribute {
  return { type, values: values.map((value) => new Uint8Array(value)) };
}

/** The Extensions, or ExtensionTemplates with every extnValue there, of the attribute of this type; null without one. */
export function extensionsOfAttribute(
  attributes: readonly ReadAttribute[],
  type: string,
): readonly ReadExtension[] | null {
  const [attribute, ...others] = attributes.filter((each) => each.type === type);
  if (attribute === undefined) return null;
  const [value, ...more] = attribute.values;
  if (value === undefined || others.length > 0 || more.length > 0) throw new Error('not one value');
  return [...AsnConvert.parse(value, Extensions)].map(({ extnID, critical, extnValue }) => ({
    oid: extnID,
    critical,
    value: new Uint8Array(extnValue instanceof OctetString ? extnValue.buffer : extnValue),
  }));
}
