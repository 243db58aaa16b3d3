import { SallyportError } from '#errors';
import { attributeTypes, type Name } from '#x509';

const typeNames = new Map(Object.entries(attributeTypes).map(([name, oid]) => [oid, name]));

/**
 * The subject for a program that takes it as text and has no way to write a delimiter: `CN=…` and the like, in the program's own short names.
 * Throws 'usage' where it cannot be said: a request with another subject, or a part of it, could not be renewed.
 */
export function plainSubject(
  subject: Name,
  client: string,
  shortNames: Readonly<Record<string, string>>,
): readonly { readonly name: string; readonly value: string }[] {
  if (subject.length === 0) {
    throw new SallyportError(
      'usage',
      `the template builds no subject, and ${client} asks for nothing without one`,
    );
  }
  return subject.map((rdn) => {
    const [attribute] = rdn;
    const { type, value } = attribute!;
    const name = shortNames[type];
    const what = typeNames.get(type) ?? type;
    if (rdn.length > 1 || name === undefined) {
      throw new SallyportError(
        'usage',
        `${client} cannot be told the subject's ${what}: it has no name for it`,
      );
    }
    // No comma, equals sign or whatever else some parser takes for its own.
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9 .:@_-]*[A-Za-z0-9._-])?$/.test(value)) {
      throw new SallyportError(
        'usage',
        `${client} cannot be told the subject's ${what}: of its characters it may be letters of ASCII, digits, spaces and .:@_- only`,
      );
    }
    return { name, value };
  });
}

/** Those that OpenSSL, strongSwan and certmonger call alike. */
export const commonShortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.5': 'serialNumber',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
