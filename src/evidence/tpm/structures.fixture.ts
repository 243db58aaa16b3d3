import { type TpmHash, digest, nameOf } from './algorithms.ts';

/** TPM_ALG_IDs by name, those that we refuse too. */
export const ids = {
  rsa: 0x0001,
  sha1: 0x0004,
  aes: 0x0006,
  keyedhash: 0x0008,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  sm3: 0x0012,
  rsassa: 0x0014,
  rsaes: 0x0015,
  rsapss: 0x0016,
  oaep: 0x0017,
  ecdsa: 0x0018,
  ecdh: 0x0019,
  ecdaa: 0x001a,
  sm2: 0x001b,
  ecschnorr: 0x001c,
  kdf1Sp800108: 0x0022,
  ecc: 0x0023,
  symcipher: 0x0025,
  camellia: 0x0026,
  cfb: 0x0043,
  ctr: 0x0040,
} as const;

export const curveIds = { 'P-192': 1, 'P-256': 3, 'P-384': 4, 'P-521': 5, 'BN-256': 0x10 } as const;

export const u8 = (value: number): Uint8Array => Uint8Array.of(value);
export const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
export const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
export const sized = (octets: Uint8Array): Uint8Array => join(u16(octets.length), octets);
export const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export interface PublicFields {
  readonly nameAlg: number;
  readonly attributes: number;
  readonly authPolicy: Uint8Array;
  /** TPMT_SYM_DEF_OBJECT, encoded. */
  readonly symmetric: Uint8Array;
  /** TPMT_RSA_SCHEME or TPMT_ECC_SCHEME, encoded. */
  readonly scheme: Uint8Array;
}

const noAlgorithm = u16(ids.null);
export const aes = (keyBits: number, mode: number = ids.cfb): Uint8Array =>
  join(u16(ids.aes), u16(keyBits), u16(mode));
export const scheme = (algorithm: number, hash: number): Uint8Array => join(u16(algorithm), u16(hash));

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth and sign: what tools make for a signing key. */
export const signingKey = 0x0004_0072;
export const attestationKey = 0x0005_0072;
/** Template L of the EK Credential Profile: adminWithPolicy in place of userWithAuth, restricted, decrypt. */
export const endorsementKey = 0x0003_00b2;

export const plainFields: PublicFields = {
  nameAlg: ids.sha256,
  attributes: signingKey,
  authPolicy: new Uint8Array(),
  symmetric: noAlgorithm,
  scheme: noAlgorithm,
};

export function encodeRsaPublic(
  fields: PublicFields,
  modulus: Uint8Array,
  { exponent = 0, keyBits = modulus.length * 8 } = {},
): Uint8Array {
  return join(encodeHead(ids.rsa, fields), u16(keyBits), u32(exponent), sized(modulus));
}

export function encodeEccPublic(
  fields: PublicFields,
  curve: number,
  [x, y]: readonly [Uint8Array, Uint8Array],
  kdf: Uint8Array = noAlgorithm,
): Uint8Array {
  return join(encodeHead(ids.ecc, fields), u16(curve), kdf, sized(x), sized(y));
}

export function encodeHead(type: number, fields: PublicFields): Uint8Array {
  const { nameAlg, attributes, authPolicy, symmetric, scheme: keyScheme } = fields;
  return join(u16(type), u16(nameAlg), u32(attributes), sized(authPolicy), symmetric, keyScheme);
}

export interface AttestFields {
  readonly magic: number;
  readonly type: number;
  readonly qualifiedSigner: Uint8Array;
  readonly extraData: Uint8Array;
  readonly safe: number;
  readonly firmwareVersion: Uint8Array;
  readonly name: Uint8Array;
  readonly more: Uint8Array;
  readonly trailing: Uint8Array;
}

export const attestTypes = { certify: 0x8017, quote: 0x8018, creation: 0x801a } as const;

export function encodeAttest(fields: Partial<AttestFields>): Uint8Array {
  return join(
    u32(fields.magic ?? 0xff544347),
    u16(fields.type ?? attestTypes.certify),
    sized(fields.qualifiedSigner ?? nameOf('sha256', u8(1))),
    sized(fields.extraData ?? new Uint8Array()),
    new Uint8Array(16).fill(7),
    u8(fields.safe ?? 1),
    fields.firmwareVersion ?? new Uint8Array(8).fill(9),
    sized(fields.name ?? new Uint8Array()),
    sized(fields.more ?? nameOf('sha256', u8(2))),
    fields.trailing ?? new Uint8Array(),
  );
}

export interface CreationFields {
  readonly banks: readonly (readonly [hash: number, select: Uint8Array])[];
  readonly parentNameAlg: number;
  readonly outsideInfo: Uint8Array;
  readonly trailing: Uint8Array;
}

export function encodeCreationData(fields: Partial<CreationFields> = {}): Uint8Array {
  const banks = fields.banks ?? [[ids.sha256, Uint8Array.of(0xff, 0, 0)]];
  return join(
    u32(banks.length),
    ...banks.map(([hash, select]) => join(u16(hash), u8(select.length), select)),
    sized(digest('sha256', u8(3))),
    u8(1),
    u16(fields.parentNameAlg ?? ids.sha256),
    sized(nameOf('sha256', u8(4))),
    sized(nameOf('sha256', u8(5))),
    sized(fields.outsideInfo ?? new Uint8Array()),
    fields.trailing ?? new Uint8Array(),
  );
}

/** Of RSA the signature, of ECDSA both numbers. */
export function encodeSignature(
  algorithm: number,
  hash: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return join(u16(algorithm), u16(hash), ...parts.map(sized));
}

export const hashId = (hash: TpmHash): number => ids[hash];
