import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import { sameHash } from './tree-hash.ts';

/**
 * Bytes kept beside the log, under the address that an entry names. The entry says what they are and not what is in them: without the salt nobody
 * can tell from the address what they were, so that they can be taken away and the tree stays as it is.
 */
export interface Blob {
  /** SHA-256(salt || bytes). */
  readonly address: Uint8Array;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Octets. One length, so that no other bytes with a longer or shorter salt have the same address. */
export const saltLength = 16;

export function saltedHash(salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (salt.length !== saltLength) {
    throw new SallyportError('malformed', `a salt has ${saltLength} octets, this one ${salt.length}`);
  }
  const salted = Buffer.allocUnsafe(saltLength + bytes.length);
  salted.set(salt);
  salted.set(bytes, saltLength);
  return hash('sha256', salted, 'buffer');
}

/** `salt` fresh from a cryptographic generator. */
export function blobOf(salt: Uint8Array, bytes: Uint8Array): Blob {
  return { address: saltedHash(salt, bytes), salt, bytes };
}

/** Throws 'log' unless these are the bytes of the address. */
export function verifyBlob({ address, salt, bytes }: Blob): void {
  if (salt.length === saltLength && sameHash(saltedHash(salt, bytes), address)) return;
  throw new SallyportError('log', 'the bytes kept beside the entry are not those that it names');
}
