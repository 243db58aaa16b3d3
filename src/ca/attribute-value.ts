import { attributeEncoding, attributeTypes, isPrintableText, type NameAttribute } from '#x509';

/** RFC 5280 appendix A.1, "Upper Bounds". Characters, not octets. */
const upperBounds: ReadonlyMap<string | undefined, number> = new Map([
  [attributeTypes['commonName'], 64],
  [attributeTypes['localityName'], 128],
  [attributeTypes['stateOrProvinceName'], 128],
  [attributeTypes['organizationName'], 64],
  [attributeTypes['organizationalUnitName'], 64],
  [attributeTypes['title'], 64],
  [attributeTypes['serialNumber'], 64],
  [attributeTypes['countryName'], 2],
  [attributeTypes['emailAddress'], 255],
  [attributeTypes['domainComponent'], 63],
]);
const otherUpperBound = 256;

const visibleAscii = /^[\x20-\x7e]*$/u;
/**
 * Control, format (bidirectional marks, joiners), surrogate and line separating characters: what cannot be seen
 * makes two names look alike, and NUL cuts a name short in clients written in C.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Words for what is wrong with the value of an attribute, or null. The words do not repeat the value. */
export function attributeValueProblem(oid: string, value: string): string | null {
  if (value === '') return 'is empty';
  if (invisible.test(value)) return 'has a control or invisible character';
  if (value.trim() !== value) return 'begins or ends with a space';
  const bound = upperBounds.get(oid) ?? otherUpperBound;
  if (value.length > bound && [...value].length > bound) {
    return `is longer than ${bound} characters (RFC 5280 appendix A.1)`;
  }
  if (oid === attributeTypes['countryName'] && !/^[A-Z]{2}$/u.test(value)) {
    return 'is not a country code of two capital letters (ISO 3166)';
  }
  const encoding = attributeEncoding(oid);
  if (encoding === 'printable' && !isPrintableText(value)) {
    return 'has a character that PrintableString cannot hold';
  }
  if (encoding === 'ia5' && !visibleAscii.test(value)) return 'has a character that IA5String cannot hold';
  return null;
}

/** RFC 5280 section 4.1.2.4: a DirectoryString "MUST" be PrintableString or UTF8String; some types have one string type. */
export function isAttributeEncoding(oid: string, encoding: NameAttribute['encoding']): boolean {
  const proper = attributeEncoding(oid);
  return encoding === proper || (proper === 'utf8' && encoding === 'printable');
}
