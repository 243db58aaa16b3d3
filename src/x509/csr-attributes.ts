import { encodeCertificationRequestInfoTemplate } from './certification-request-info-template.ts';
import { type ExtensionWish, extensionWishes } from './csr-attributes-extensions.ts';
import { keyAttributes } from './csr-attributes-key.ts';
import type { CsrAttributesWishes } from './csr-attributes-wishes.ts';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { encodeExtensions } from './extensions/extension.ts';
import { oids } from './oids.ts';

/**
 * CsrAttrs ::= SEQUENCE OF AttrOrOID (RFC 7030 section 4.5.2), twice over as RFC 9908 section 4 has it: first what older
 * clients know, then the template, which they ignore and which newer clients read alone. Throws `malformed` for names,
 * values and extensions that cannot be written, `unsupported` for a key that would be refused when it came.
 */
export function encodeCsrAttributes(wishes: CsrAttributesWishes): Der {
  const key = keyAttributes(wishes.key);
  const extensions = extensionWishes(wishes);
  const template = encodeCertificationRequestInfoTemplate(wishes, key, extensions);
  return der.sequence(
    ...(wishes.challengePassword ? [der.oid(oids.challengePassword)] : []),
    key.keyType,
    ...toBeFilledIn(wishes, extensions),
    ...extensionRequest(extensions.filter(({ partial }) => !partial)),
    ...(key.signatureAlgorithm === null ? [] : [key.signatureAlgorithm]),
    der.sequence(der.oid(oids.certificationRequestInfoTemplate), der.set(template)),
  );
}

/**
 * What the client has to know by itself, as an OID alone (RFC 9908 section 5.5 asks for a serialNumber so). A partial
 * extension has no other form here: to an older client its empty names are the names.
 */
function toBeFilledIn({ subject }: CsrAttributesWishes, extensions: readonly ExtensionWish[]): Der[] {
  const types = subject.filter(({ value }) => value === null).map(({ type }) => type);
  const partial = extensions.filter((each) => each.partial).map(({ oid }) => oid);
  return [...new Set([...types, ...partial])].map(der.oid);
}

/** RFC 9908 section 3.2: one id-ExtensionReq with one value of type Extensions, which is never empty. */
function extensionRequest(extensions: readonly ExtensionWish[]): Der[] {
  if (extensions.length === 0) return [];
  return [der.sequence(der.oid(oids.extensionRequest), der.set(encodeExtensions(extensions)))];
}
