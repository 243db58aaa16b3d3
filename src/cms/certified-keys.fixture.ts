import { generateSoftwareKey, type KeyAlgorithm, type SigningKey } from '#keys';
import {
  assembleSigned,
  buildName,
  type Certificate,
  encodeBasicConstraints,
  encodeKeyUsage,
  encodeName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  type Extension,
  extensionOids,
  keyIdentifier,
  type KeyUsage,
  parseCertificate,
} from '#x509';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/* A root and what it certifies, for the tests of this folder. */

let certified = 0;
const rootName = buildName([{ type: 'commonName', value: 'Root' }]);
export const rootKey = await generateSoftwareKey('ec-p256');
const caUsage: readonly KeyUsage[] = ['keyCertSign', 'cRLSign'];
export const root = await certify(rootKey.spki, { commonName: 'Root', keyUsage: caUsage });

export interface Traits {
  readonly commonName?: string;
  /** null: no such extension. */
  readonly keyUsage?: readonly KeyUsage[] | null;
  readonly subjectKeyIdentifier?: boolean;
}

/** Certificates that never expire, for tools that ask their own clock. */
export async function certify(spki: Uint8Array, traits: Traits = {}): Promise<Certificate> {
  const { commonName = 'Leaf', keyUsage = null, subjectKeyIdentifier = true } = traits;
  const extensions: Extension[] = [];
  const add = (oid: string, value: Uint8Array) => extensions.push({ oid, critical: false, value });
  if (commonName === 'Root') {
    add(extensionOids.basicConstraints, encodeBasicConstraints({ ca: true }));
  }
  if (keyUsage !== null) add(extensionOids.keyUsage, encodeKeyUsage(keyUsage));
  if (subjectKeyIdentifier) {
    add(extensionOids.subjectKeyIdentifier, encodeSubjectKeyIdentifier(keyIdentifier(spki)));
  }
  certified += 1;
  const tbs = encodeTbsCertificate({
    // With the highest bit set: a sign octet that must not be lost.
    serialNumber: (0x8000 + certified).toString(16),
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(rootName),
    subject: commonName === 'Root' ? rootName : buildName([{ type: 'commonName', value: commonName }]),
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(9999, 11, 31, 23, 59, 59),
    spki,
    extensions,
  });
  return parseCertificate(assembleSigned(tbs, 'ec-p256', await rootKey.sign(tbs)));
}

export async function signerOf(
  algorithm: KeyAlgorithm,
  keyUsage: readonly KeyUsage[] | null = ['digitalSignature'],
): Promise<{ certificate: Certificate; chain: Uint8Array[]; key: SigningKey }> {
  const key = await generateSoftwareKey(algorithm);
  const certificate = await certify(key.spki, { commonName: 'Signer', keyUsage });
  return { certificate, chain: [root.der], key };
}

export interface RecipientKey {
  readonly spki: Uint8Array;
  readonly privateKey: KeyObject;
}

/** Keys of recipients: in the clear, as no SigningKey is. */
export function recipientKey(kind: 'rsa' | 'P-256' | 'P-384' | 'P-521', bits = 2048): RecipientKey {
  const { publicKey, privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ec', { namedCurve: kind });
  return { spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })), privateKey };
}
