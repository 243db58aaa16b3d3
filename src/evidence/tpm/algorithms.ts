import { createHash } from 'node:crypto';
import { SallyportError } from '#errors';

/** TPM_ALG_ID: those that are read here. Sections are those of the TPM 2.0 Library, part 2, revision 1.59; this is 6.3. */
export const algorithms = {
  rsa: 0x0001,
  aes: 0x0006,
  null: 0x0010,
  rsassa: 0x0014,
  rsaes: 0x0015,
  rsapss: 0x0016,
  oaep: 0x0017,
  ecdsa: 0x0018,
  ecdh: 0x0019,
  ecdaa: 0x001a,
  ecschnorr: 0x001c,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

/** Key derivation functions: MGF1, KDF1_SP800_56A, KDF2, KDF1_SP800_108. */
export const keyDerivationFunctions: readonly number[] = [0x0007, 0x0020, 0x0021, 0x0022];

export type TpmHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';
export type NameHash = Exclude<TpmHash, 'sha1'>;

const hashIdentifiers: Readonly<Record<TpmHash, number>> = {
  sha1: 0x0004,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
};

export const digestOctets: Readonly<Record<TpmHash, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

export function hashOf(identifier: number, what: string): TpmHash {
  for (const hash of Object.keys(hashIdentifiers) as TpmHash[]) {
    if (hashIdentifiers[hash] === identifier) return hash;
  }
  throw unsupported(what, identifier);
}

/** What names are made with: whoever finds two areas of one name has a key in hardware that is not. */
export function nameHashOf(identifier: number, what: string): NameHash {
  const hash = hashOf(identifier, what);
  if (hash === 'sha1') throw unsupported(what, identifier);
  return hash;
}

export function digest(hash: TpmHash, ...parts: readonly Uint8Array[]): Uint8Array {
  const digesting = createHash(hash);
  for (const part of parts) digesting.update(part);
  return new Uint8Array(digesting.digest());
}

/** The name of an entity with a public area (part 1 section 16): nameAlg and the area's digest. */
export function nameOf(nameAlg: NameHash, area: Uint8Array): Uint8Array {
  const identifier = hashIdentifiers[nameAlg];
  return Uint8Array.of(identifier >> 8, identifier & 0xff, ...digest(nameAlg, area));
}

export function unsupported(what: string, identifier: number): SallyportError {
  return new SallyportError('unsupported', `${what}: 0x${identifier.toString(16)} is not accepted`);
}
