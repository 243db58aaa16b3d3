const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A request's id, shown to the client: it tells nothing, and operators find the entry by it. 80 random bits, `R-XXXX-XXXX-XXXX-XXXX`. */
export function supportCode(random: (n: number) => Uint8Array): string {
  const characters = [...random(16)].map((byte) => alphabet.charAt(byte & 31)).join('');
  return `R-${characters.match(/.{4}/g)!.join('-')}`;
}
