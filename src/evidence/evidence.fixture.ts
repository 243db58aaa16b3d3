import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { encode } from 'cborg';
import {
  type Extension,
  type Name,
  type TbsCertificateFields,
  assembleSigned,
  buildName,
  encodeBasicConstraints,
  encodeName,
  encodeTbsCertificate,
  extensionOids,
} from '#x509';
import type { TrustAnchors } from './appraisal.ts';
import type { EvidenceFormat, Nonce } from './evidence.ts';

export const now = Date.UTC(2026, 9, 1, 12);
export const day = 86_400_000;
/** notAfter of 802.1AR: 99991231235959Z. */
export const never = Date.UTC(9999, 11, 31, 23, 59, 59);

export const nonce: Nonce = {
  toBeSigned: Buffer.from('token-of-the-challenge.thumbprint-of-the-account'),
  token: Buffer.from('token-of-the-challenge'),
};

type Algorithm = 'ec-p256' | 'ec-p384' | 'rsa-2048' | 'ed25519';

export interface KeyPair {
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

export function keyPair(algorithm: Algorithm = 'ec-p256'): KeyPair {
  const { privateKey, publicKey } = generate(algorithm);
  return {
    algorithm,
    privateKey,
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  };
}

function generate(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 'ec-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ec-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'rsa-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
  }
}

export function signedBy({ algorithm, privateKey }: KeyPair, data: Uint8Array): Uint8Array {
  const hash = algorithm === 'ed25519' ? null : algorithm === 'ec-p384' ? 'sha384' : 'sha256';
  return new Uint8Array(sign(hash, data, privateKey));
}

/** A certificate, as it is made before it is signed. */
export interface Recipe {
  readonly subject: Name;
  readonly issuer: Name;
  readonly key: KeyPair;
  readonly by: KeyPair;
  readonly extensions: readonly Extension[];
  readonly serialNumber: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export function issue({ issuer, key, by, ...rest }: Recipe): Uint8Array {
  const fields: TbsCertificateFields = {
    ...rest,
    issuer: encodeName(issuer),
    signatureAlgorithm: by.algorithm,
    spki: key.spki,
  };
  const tbs = encodeTbsCertificate(fields);
  return assembleSigned(tbs, by.algorithm, signedBy(by, tbs));
}

export function named(attributes: Readonly<Record<string, string>>): Name {
  return buildName(Object.entries(attributes).map(([type, value]) => ({ type, value })));
}

export function extension(oid: string, value: Uint8Array): Extension {
  return { oid, critical: false, value };
}

export const ca: Extension = {
  oid: extensionOids.basicConstraints,
  critical: true,
  value: encodeBasicConstraints({ ca: true }),
};

export function attestationObject(fmt: string, attStmt: Readonly<Record<string, unknown>>): Uint8Array {
  return encode({ fmt, attStmt });
}

export function anchorsOf(
  format: EvidenceFormat,
  roots: readonly Uint8Array[],
  changed: Partial<TrustAnchors> = {},
): TrustAnchors {
  return {
    name: `${format} roots`,
    format,
    level: null,
    roots: roots.map(base64),
    intermediates: [],
    ...changed,
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
