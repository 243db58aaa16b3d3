import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyAlgorithm } from '#keys';
import {
  type CertificationRequestInfoFields,
  type Der,
  type Extension,
  type Name,
  type TbsCertificateFields,
  assembleSigned,
  buildName,
  encodeBasicConstraints,
  encodeCertificationRequestInfo,
  encodeKeyUsage,
  encodeName,
  encodeSubjectAltName,
  encodeTbsCertificate,
  extensionOids,
  keyIdentifier,
  encodeAuthorityKeyIdentifier,
  encodeSubjectKeyIdentifier,
} from '#x509';

export interface SampleKey {
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: KeyObject;
  readonly spki: Der;
  readonly sign: (data: Uint8Array) => Uint8Array;
}

/** A key pair that signs as certificates want it. */
export function sampleKey(algorithm: KeyAlgorithm = 'ec-p256'): SampleKey {
  const { privateKey, publicKey } = generatePair(algorithm);
  return {
    algorithm,
    privateKey,
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    sign: (data) => new Uint8Array(sign(hashFor(algorithm), data, privateKey)),
  };
}

function generatePair(algorithm: KeyAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 'ec-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ec-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(algorithm.slice(4)) });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'ml-dsa-44':
      return generateKeyPairSync('ml-dsa-44');
    case 'ml-dsa-65':
      return generateKeyPairSync('ml-dsa-65');
    case 'ml-dsa-87':
      return generateKeyPairSync('ml-dsa-87');
  }
}

function hashFor(algorithm: KeyAlgorithm): string | null {
  if (algorithm === 'ec-p384') return 'sha384';
  return algorithm.startsWith('ec-') || algorithm.startsWith('rsa-') ? 'sha256' : null;
}

export const issuerName: Name = buildName([
  { type: 'organizationName', value: 'Sallyport Test' },
  { type: 'commonName', value: 'Issuing CA' },
]);
export const subjectName: Name = buildName([
  { type: 'countryName', value: 'CH' },
  { type: 'commonName', value: 'device ü, "one"' },
  { type: 'serialNumber', value: 'SN-0001' },
]);

export const sampleNotBefore = Date.UTC(2026, 0, 2, 3, 4, 5);
export const sampleNotAfter = Date.UTC(2051, 1, 28, 23, 59, 59);

export function extension(oid: string, value: Uint8Array, critical = false): Extension {
  return { oid, critical, value };
}

export function sampleTbs(issuer: SampleKey, spki: Der, changed: Partial<TbsCertificateFields> = {}): Der {
  return encodeTbsCertificate({
    serialNumber: '7fa1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3',
    signatureAlgorithm: issuer.algorithm,
    issuer: encodeName(issuerName),
    subject: subjectName,
    notBefore: sampleNotBefore,
    notAfter: sampleNotAfter,
    spki,
    extensions: [
      extension(
        extensionOids.authorityKeyIdentifier,
        encodeAuthorityKeyIdentifier(keyIdentifier(issuer.spki)),
      ),
      extension(extensionOids.subjectKeyIdentifier, encodeSubjectKeyIdentifier(keyIdentifier(spki))),
      extension(extensionOids.keyUsage, encodeKeyUsage(['digitalSignature', 'keyAgreement']), true),
      extension(
        extensionOids.subjectAltName,
        encodeSubjectAltName([{ kind: 'dns', value: 'one.example.test' }]),
      ),
    ],
    ...changed,
  });
}

export function signed(tbs: Der, issuer: SampleKey): Der {
  return assembleSigned(tbs, issuer.algorithm, issuer.sign(tbs));
}

/** A self-signed CA certificate for `issuerName`. */
export function sampleCa(issuer: SampleKey): Der {
  const extensions = [
    extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: true, pathLength: 0 }), true),
    extension(extensionOids.keyUsage, encodeKeyUsage(['keyCertSign', 'cRLSign']), true),
    extension(extensionOids.subjectKeyIdentifier, encodeSubjectKeyIdentifier(keyIdentifier(issuer.spki))),
  ];
  const tbs = sampleTbs(issuer, issuer.spki, { serialNumber: '01', subject: issuerName, extensions });
  return signed(tbs, issuer);
}

export function sampleRequest(key: SampleKey, changed: Partial<CertificationRequestInfoFields> = {}): Der {
  const info = encodeCertificationRequestInfo({ subject: subjectName, spki: key.spki, ...changed });
  return assembleSigned(info, key.algorithm, key.sign(info));
}
