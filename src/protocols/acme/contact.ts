import { AcmeError } from './problems.ts';

const most = 10;
/** One address, no header fields: RFC 8555 section 7.3 has servers refuse those. */
const mailto = /^mailto:[^\s?,<>"%\p{Cc}]{1,64}@[A-Za-z0-9.-]{1,253}$/u;

/** @throws AcmeError */
export function contactOf(contact: unknown): readonly string[] {
  if (contact === undefined || contact === null) return [];
  if (!Array.isArray(contact) || contact.length > most) {
    throw new AcmeError('invalidContact', `contact must be a list of at most ${most} addresses`);
  }
  return contact.map((url: unknown) => {
    if (typeof url !== 'string') throw new AcmeError('invalidContact', 'a contact must be a URL');
    if (!/^mailto:/i.test(url)) throw new AcmeError('unsupportedContact', 'only mailto: contacts are taken');
    if (!mailto.test(url)) throw new AcmeError('invalidContact', 'a contact must be mailto: and one address');
    return url;
  });
}
