import { SallyportError } from '#errors';
import type { ExtensionWish } from './csr-attributes-extensions.ts';
import type { KeyAttributes } from './csr-attributes-key.ts';
import type { CsrAttributesWishes, SubjectAttributeWish } from './csr-attributes-wishes.ts';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { encodeExtensions } from './extensions/extension.ts';
import { attributeEncoding } from './name-attributes.ts';
import { oids } from './oids.ts';

const version1 = der.integer(0);

/**
 * RFC 9908 section 3.4, whose module has implicit tags: CertificationRequestInfoTemplate ::= SEQUENCE { version, subject
 * NameTemplate OPTIONAL, subjectPKInfo [0] SubjectPublicKeyInfoTemplate OPTIONAL, attributes [1] Attributes }. The subject
 * "MUST be present if the server places any requirements on the RDNs [...]; otherwise, it MUST be absent".
 */
export function encodeCertificationRequestInfoTemplate(
  { subject, challengePassword }: CsrAttributesWishes,
  key: KeyAttributes,
  extensions: readonly ExtensionWish[],
): Der {
  const attributes = [
    ...(challengePassword ? [challengePasswordTemplate] : []),
    ...(extensions.length > 0 ? [extensionsAttribute(extensions)] : []),
  ];
  return der.sequence(
    version1,
    ...(subject.length > 0 ? [der.sequence(...subject.map(encodeRdnTemplate))] : []),
    der.implicitConstructed(0, ...key.template),
    der.implicit(1, der.set(...attributes)),
  );
}

/**
 * It is here too because section 4 lets a client that knows templates ignore all beside them: it would leave out the channel
 * binding, and be refused. The section has no form for a value that is the client's to give; an empty text does as its empty
 * GeneralNames do, for an Attribute has at least one value and strict readers (@blamejs/pki 0.5.25) refuse it with none.
 */
const challengePasswordTemplate = der.sequence(
  der.oid(oids.challengePassword),
  der.set(der.printableString('')),
);

/** RelativeDistinguishedNameTemplate of one SingleAttributeTemplate, whose value is absent where the client fills it in. */
function encodeRdnTemplate({ type, value }: SubjectAttributeWish): Der {
  if (value === '') throw new SallyportError('malformed', `CSR attributes: the value of ${type} is empty`);
  const template = value === null ? [] : [der.string(value, attributeEncoding(type))];
  return der.set(der.sequence(der.oid(type), ...template));
}

/**
 * id-aa-extensionReqTemplate only "to enable specifying partial extensions with values to be filled in by the client;
 * otherwise the id-ExtensionReq OID [...] MUST be used"; never both. With every value there, an ExtensionTemplate is
 * written as an Extension is.
 */
function extensionsAttribute(extensions: readonly ExtensionWish[]): Der {
  const partial = extensions.some((each) => each.partial);
  const type = partial ? oids.extensionReqTemplate : oids.extensionRequest;
  return der.sequence(der.oid(type), der.set(encodeExtensions(extensions)));
}
