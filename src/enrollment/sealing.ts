import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { SallyportError } from '#errors';
import type { MacKey } from './one-time-secret.ts';

const ivLength = 12;
const tagLength = 16;

/**
 * What must be known as it is and rests in the database, such as the MAC key of an external account: AES-256-GCM under a key derived of one that is kept
 * outside it (HKDF-SHA-256), bound to the id of its row.
 */
export function seal(
  secret: Uint8Array,
  rowId: string,
  key: MacKey,
  random: (n: number) => Uint8Array,
): Uint8Array {
  const iv = random(ivLength);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key), iv);
  cipher.setAAD(Buffer.from(rowId));
  return Buffer.concat([iv, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Throws 'key' where the key that sealed it is not in force any more, or the row was changed. */
export function unseal(
  sealed: Uint8Array,
  rowId: string,
  keyId: string,
  keys: readonly MacKey[],
): Uint8Array {
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined || sealed.length < ivLength + tagLength) throw notSealed(rowId);
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(key), sealed.subarray(0, ivLength), {
    authTagLength: tagLength,
  });
  decipher.setAAD(Buffer.from(rowId));
  decipher.setAuthTag(sealed.subarray(-tagLength));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(ivLength, -tagLength)), decipher.final()]);
  } catch (cause) {
    throw notSealed(rowId, cause);
  }
}

function sealingKey({ key }: MacKey): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), 'sallyport sealing', 32));
}

function notSealed(rowId: string, cause?: unknown): SallyportError {
  const words = `what is sealed under ${rowId} cannot be opened: its key is not among secrets.macKeys, or the row was changed`;
  return new SallyportError('key', words, { cause });
}
