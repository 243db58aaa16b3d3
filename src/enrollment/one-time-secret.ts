import { createHmac } from 'node:crypto';

/** Windows refuses a challenge that is no PrintableString, and people read secrets aloud: letters, digits and hyphen only. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const groups = 5;
const groupLength = 5;

/**
 * A fresh one-time secret: 25 characters of 62 (148 bits) in five groups, as AbC1d-….
 * `random` gives n bytes of a cryptographic generator.
 */
export function generateSecret(random: (n: number) => Uint8Array): string {
  let characters = '';
  while (characters.length < groups * groupLength) {
    for (const byte of random(64)) {
      // 248 is the largest multiple of 62 below 256: larger bytes are drawn again, so that no character is favoured.
      if (byte < 248 && characters.length < groups * groupLength) characters += alphabet.charAt(byte % 62);
    }
  }
  return characters.match(/.{5}/g)!.join('-');
}

export interface MacKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/**
 * Secrets rest as HMAC-SHA-256 under a key kept outside the database. Looking one up by its MAC takes the same time
 * whatever was guessed: nothing of the secret itself is compared.
 */
export function macSecret(secret: string, key: MacKey): Uint8Array {
  return createHmac('sha256', key.key).update('sallyport one-time secret\0').update(secret, 'utf8').digest();
}
