import { createPublicKey, hash, verify } from 'node:crypto';
import { SallyportError } from '#errors';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { isKeyName } from './note-text.ts';
import { firstOrigin } from './restored-origin.ts';

/**
 * A key that note signatures are checked with. `name` and `keyId` together tell which signatures are its own.
 */
export interface NoteVerifier {
  readonly name: string;
  /** C2SP signed-note: 32 bits, 8 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** Over the text of the note, its last newline included. */
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * C2SP signed-note, "Signature types": Ed25519 over the note text. The only type that logs of ours sign with.
 */
const ed25519Type = 0x01;
const ed25519KeyLength = 32;
export const ed25519SignatureLength = 64;

/**
 * RFC 8410 section 4: SubjectPublicKeyInfo of an Ed25519 key up to its 32 octets, of which there is one
 * encoding.
 */
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** C2SP signed-note, "Verifier keys": what outsiders configure to check our notes. */
export function verifierKey(name: string, spki: Uint8Array): string {
  const typedKey = Buffer.concat([Buffer.of(ed25519Type), ed25519PublicKey(spki)]);
  return `${name}+${noteKeyId(name, spki)}+${encodeBase64(typedKey)}`;
}

export function parseVerifierKey(verifierKey: string): NoteVerifier {
  // The base64 may have plus signs of its own, name and key ID cannot.
  const [, name, keyId, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(verifierKey) ?? [];
  if (name === undefined || keyId === undefined || encoded === undefined || !isKeyName(name)) {
    throw new SallyportError('malformed', 'a verifier key reads "<name>+<8 hex digits>+<base64>"');
  }
  const typedKey = decodeBase64(encoded, 'the public key of a verifier key');
  if (typedKey[0] !== ed25519Type) {
    throw new SallyportError(
      'unsupported',
      `verifier key of type ${typedKey[0]}: only Ed25519 (1) is supported`,
    );
  }
  if (typedKey.length !== 1 + ed25519KeyLength) {
    throw new SallyportError('malformed', 'an Ed25519 public key has 32 octets');
  }
  const spki = Buffer.concat([ed25519SpkiPrefix, typedKey.subarray(1)]);
  if (noteKeyId(name, spki) !== keyId) {
    throw new SallyportError('malformed', `key ID ${keyId} does not belong to this name and public key`);
  }
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return {
    name,
    keyId,
    verify: (text, signature) => verify(null, text, key, signature),
  };
}

/**
 * The same public key under the name of another log of the authority: who noted it in the beginning checks with it what came after a restore.
 */
export function verifierKeyFor(origin: string, noted: string): string {
  const { name } = parseVerifierKey(noted);
  if (name === origin || firstOrigin(name) !== firstOrigin(origin)) return noted;
  const [, encoded = ''] = /^[^+]+\+[0-9a-f]{8}\+(.+)$/u.exec(noted) ?? [];
  const typedKey = decodeBase64(encoded, 'the public key of a verifier key');
  return verifierKey(origin, Buffer.concat([ed25519SpkiPrefix, typedKey.subarray(1)]));
}

/** SHA-256(key name || 0x0A || signature type || public key)[:4]. */
export function noteKeyId(name: string, spki: Uint8Array): string {
  assertKeyName(name);
  const preimage = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), ed25519PublicKey(spki)]);
  return hash('sha256', preimage, 'hex').slice(0, 8);
}

function assertKeyName(name: string): void {
  if (!isKeyName(name)) {
    throw new SallyportError(
      'malformed',
      'a key name is not empty and has no spaces, control characters or "+"',
    );
  }
}

function ed25519PublicKey(spki: Uint8Array): Uint8Array {
  const prefix = ed25519SpkiPrefix.length;
  if (spki.length !== prefix + ed25519KeyLength || !ed25519SpkiPrefix.equals(spki.subarray(0, prefix))) {
    throw new SallyportError('unsupported', 'only Ed25519 keys sign notes');
  }
  return spki.subarray(prefix);
}
