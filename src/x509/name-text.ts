import { attributeTextName } from './name-attributes.ts';
import { der } from './der-writer.ts';
import type { Name, NameAttribute } from './name.ts';

/** The string form of RFC 4514, last RDN first. For people and logs: never parsed again. */
export function formatName(name: Name): string {
  return name
    .toReversed()
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .join(',');
}

function formatAttribute({ type, value, encoding }: NameAttribute): string {
  const textName = attributeTextName(type);
  // RFC 4514 section 2.4: a type in dotted form has its value as the hexadecimal encoding.
  if (textName === undefined) return `${type}=#${der.string(value, encoding).toHex()}`;
  return `${textName}=${escapeValue(value)}`;
}

/** Control, format and line characters as octets: a name can neither forge a line of a log nor turn its direction. */
export function escapeInvisible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, hexPairs);
}

function escapeValue(value: string): string {
  return escapeInvisible(value.replace(/["+,;<>\\]/g, '\\$&').replace(/^[ #]| $/g, '\\$&'));
}

function hexPairs(character: string): string {
  return new TextEncoder().encode(character).toHex().replace(/../g, '\\$&');
}
