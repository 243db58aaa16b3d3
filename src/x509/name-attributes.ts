import { SallyportError } from '#errors';
import type { StringEncoding } from './character-string.ts';

/** Attribute types of names, by their LDAP and X.520 names, as dotted OIDs. */
export const attributeTypes: Readonly<Record<string, string>> = {
  commonName: '2.5.4.3',
  surname: '2.5.4.4',
  serialNumber: '2.5.4.5',
  countryName: '2.5.4.6',
  localityName: '2.5.4.7',
  stateOrProvinceName: '2.5.4.8',
  streetAddress: '2.5.4.9',
  organizationName: '2.5.4.10',
  organizationalUnitName: '2.5.4.11',
  title: '2.5.4.12',
  description: '2.5.4.13',
  businessCategory: '2.5.4.15',
  postalCode: '2.5.4.17',
  telephoneNumber: '2.5.4.20',
  name: '2.5.4.41',
  givenName: '2.5.4.42',
  initials: '2.5.4.43',
  generationQualifier: '2.5.4.44',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  organizationIdentifier: '2.5.4.97',
  userId: '0.9.2342.19200300.100.1.1',
  domainComponent: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
  unstructuredName: '1.2.840.113549.1.9.2',
  unstructuredAddress: '1.2.840.113549.1.9.8',
};

/** RFC 4514 section 3: names short enough for its table. */
const shortNames: Readonly<Record<string, string>> = {
  commonName: 'CN',
  localityName: 'L',
  stateOrProvinceName: 'ST',
  organizationName: 'O',
  organizationalUnitName: 'OU',
  countryName: 'C',
  streetAddress: 'STREET',
  domainComponent: 'DC',
  userId: 'UID',
};

const oidOf = new Map(Object.entries(attributeTypes));
const textNameOf = new Map(
  Object.entries(attributeTypes).map(([name, oid]) => [oid, shortNames[name] ?? name]),
);

/** How RFC 4514 text calls an attribute type; undefined where it has the dotted OID only. */
export function attributeTextName(oid: string): string | undefined {
  return textNameOf.get(oid);
}

/** The dotted OID of a name of the table, or of a dotted OID itself. Throws `malformed` for a name it does not have. */
export function attributeTypeOid(nameOrOid: string): string {
  const oid = oidOf.get(nameOrOid);
  if (oid !== undefined) return oid;
  if (/^[0-2](\.[0-9]+)+$/.test(nameOrOid)) return nameOrOid;
  throw new SallyportError(
    'malformed',
    `no attribute type is called ${JSON.stringify(nameOrOid.slice(0, 80))}`,
  );
}

/** RFC 5280 appendix A.1 demands PrintableString for these and IA5String for those; UTF8String for the rest. */
const encodings: ReadonlyMap<string, StringEncoding> = new Map([
  ['2.5.4.5', 'printable'],
  ['2.5.4.6', 'printable'],
  ['2.5.4.46', 'printable'],
  ['0.9.2342.19200300.100.1.25', 'ia5'],
  ['1.2.840.113549.1.9.1', 'ia5'],
]);

export function attributeEncoding(oid: string): StringEncoding {
  return encodings.get(oid) ?? 'utf8';
}
