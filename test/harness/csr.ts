import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { KeyAlgorithm } from '#keys';
import {
  assembleSigned,
  buildName,
  type Der,
  encodeCertificationRequestInfo,
  encodeSubjectAltName,
  type Extension,
  extensionOids,
  type GeneralName,
} from '#x509';

/** A key pair of a client, made here. */
export interface ClientKey {
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: KeyObject;
  readonly spki: Der;
}

export function makeKey(algorithm: 'ec-p256' | 'ec-p384' | 'rsa-2048' = 'ec-p256'): ClientKey {
  const pair =
    algorithm === 'rsa-2048'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: algorithm === 'ec-p256' ? 'P-256' : 'P-384' });
  return {
    algorithm,
    privateKey: pair.privateKey,
    spki: pair.publicKey.export({ type: 'spki', format: 'der' }),
  };
}

export interface CsrSettings {
  readonly key: ClientKey;
  readonly subject?: readonly { type: string; value: string }[];
  readonly subjectAltName?: readonly GeneralName[];
  readonly extensions?: readonly Extension[];
  readonly challengePassword?: string;
  /** Signs with another key than the one the request is for. */
  readonly signWith?: ClientKey;
  /** Replaces the public key of the request: to ask for a key that one does not hold, or a weak one. */
  readonly spki?: Der;
}

/** A PKCS #10 request, DER. */
export function makeCsr(settings: CsrSettings): Buffer {
  const { key } = settings;
  const signer = settings.signWith ?? key;
  const extensions = [...(settings.extensions ?? [])];
  if (settings.subjectAltName !== undefined) {
    extensions.push({
      oid: extensionOids.subjectAltName,
      critical: false,
      value: encodeSubjectAltName(settings.subjectAltName),
    });
  }
  const info = encodeCertificationRequestInfo({
    subject: buildName(settings.subject ?? []),
    spki: settings.spki ?? key.spki,
    extensions,
    ...(settings.challengePassword === undefined ? {} : { challengePassword: settings.challengePassword }),
  });
  const hash = signer.algorithm === 'ed25519' ? null : signer.algorithm === 'ec-p384' ? 'sha384' : 'sha256';
  return Buffer.from(assembleSigned(info, signer.algorithm, sign(hash, info, signer.privateKey)));
}

/** A request for one common name, as most clients send it. */
export function csrFor(deviceId: string, key: ClientKey, more: Partial<CsrSettings> = {}): Buffer {
  return makeCsr({ key, subject: [{ type: 'commonName', value: deviceId }], ...more });
}

export function privateKeyPem(key: ClientKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' });
}

export function keyFromPem(pem: string, algorithm: KeyAlgorithm, spki: Der): ClientKey {
  return { algorithm, privateKey: createPrivateKey(pem), spki };
}
