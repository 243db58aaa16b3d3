import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { KeyAlgorithm } from '#keys';
import {
  assembleSigned,
  buildName,
  type Der,
  der,
  encodeCertificationRequestInfo,
  encodeGeneralNames,
  encodeName,
  encodeSubjectAltName,
  type Extension,
  extensionOids,
  type GeneralName,
  type Name,
  oids,
  parseCertificate,
  type RequestAttribute,
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
  /** Instead of `subject`: RDNs of several attributes, and other string types. */
  readonly name?: Name;
  /** undefined: none, also where those of a certificate would stand. */
  readonly subjectAltName?: readonly GeneralName[] | undefined;
  readonly extensions?: readonly Extension[];
  readonly challengePassword?: string;
  readonly attributes?: readonly RequestAttribute[];
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
    subject: settings.name ?? buildName(settings.subject ?? []),
    spki: settings.spki ?? key.spki,
    extensions,
    attributes: settings.attributes ?? [],
    ...(settings.challengePassword === undefined ? {} : { challengePassword: settings.challengePassword }),
  });
  const { algorithm } = signer;
  const hashless = algorithm === 'ed25519' || algorithm.startsWith('ml-dsa-');
  const hash = hashless ? null : algorithm === 'ec-p384' ? 'sha384' : 'sha256';
  return Buffer.from(assembleSigned(info, algorithm, sign(hash, info, signer.privateKey)));
}

/** A request for one common name, as most clients send it. */
export function csrFor(deviceId: string, key: ClientKey, more: Partial<CsrSettings> = {}): Buffer {
  return makeCsr({ key, subject: [{ type: 'commonName', value: deviceId }], ...more });
}

/** A request for the names that a certificate has, as a renewal must be (RFC 7030 section 4.2.2). */
export function renewalCsr(certificate: Der, key: ClientKey, more: Partial<CsrSettings> = {}): Buffer {
  const { subject, subjectAltName } = parseCertificate(certificate);
  return makeCsr({
    key,
    subject: subject.flat(),
    ...(subjectAltName.length === 0 ? {} : { subjectAltName }),
    ...more,
  });
}

/** The names that a renewal wants instead (RFC 6402 section 2.8, with the tag of erratum 3943). */
export function changeSubjectName(names: {
  subject?: readonly { type: string; value: string }[];
  subjectAltName?: readonly GeneralName[];
}): RequestAttribute {
  const { subject, subjectAltName } = names;
  const value = der.sequence(
    ...(subject === undefined ? [] : [encodeName(buildName(subject))]),
    ...(subjectAltName === undefined ? [] : [der.implicit(1, encodeGeneralNames(subjectAltName))]),
  );
  return { oid: oids.changeSubjectName, values: [value] };
}

/** The client's key that a made key is to be encrypted with (RFC 7030 section 4.4.1.2). */
export function asymmetricDecryptKeyIdentifier(identifier: Uint8Array): RequestAttribute {
  return { oid: oids.asymmDecryptKeyID, values: [der.octetString(identifier)] };
}

/** The shared key that a made key is to be encrypted with (RFC 7030 section 4.4.1.1). */
export function decryptKeyIdentifier(identifier: Uint8Array): RequestAttribute {
  return { oid: oids.decryptKeyID, values: [der.octetString(identifier)] };
}

/** Dotted OIDs, without parameters (RFC 8551 section 2.5.2). */
export function smimeCapabilities(...algorithms: readonly string[]): RequestAttribute {
  const value = der.sequence(...algorithms.map((oid) => der.sequence(der.oid(oid))));
  return { oid: oids.smimeCapabilities, values: [value] };
}

export function privateKeyPem(key: ClientKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' });
}

export function keyFromPem(pem: string, algorithm: KeyAlgorithm, spki: Der): ClientKey {
  return { algorithm, privateKey: createPrivateKey(pem), spki };
}
