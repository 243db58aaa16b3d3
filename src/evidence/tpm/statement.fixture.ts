import { type KeyObject, constants, generateKeyPairSync, sign } from 'node:crypto';
import { encode } from 'cborg';
import {
  type Der,
  type Extension,
  type GeneralName,
  type Name,
  assembleSigned,
  buildName,
  der,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeName,
  encodeSubjectAltName,
  encodeTbsCertificate,
  extendedKeyUsages,
  extensionOids,
  oids,
  readDer,
  subjectPublicKeyInfoOf,
} from '#x509';
import { statementTypes } from '../attestation-bundle.ts';
import { type NameHash, type TpmHash, digest, nameOf } from './algorithms.ts';
import {
  type AttestFields,
  type PublicFields,
  curveIds,
  encodeAttest,
  encodeEccPublic,
  encodeRsaPublic,
  encodeSignature,
  hashId,
  ids,
  plainFields,
} from './structures.fixture.ts';

/** A key pair outside of any TPM: what it signs looks the same. */
export interface SoftwareKey {
  readonly kind: 'rsa' | keyof typeof curveIds;
  readonly privateKey: KeyObject;
  readonly spki: Der;
  /** TPMT_PUBLIC with these fields. */
  readonly publicArea: (changed?: Partial<PublicFields>) => Uint8Array;
}

export function eccKey(curve: 'P-256' | 'P-384' | 'P-521' = 'P-256'): SoftwareKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const point = [Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')] as const;
  return {
    kind: curve,
    privateKey,
    spki: spkiOf(publicKey),
    publicArea: (changed) => encodeEccPublic({ ...plainFields, ...changed }, curveIds[curve], point),
  };
}

export function rsaKey(modulusLength = 2048, publicExponent = 65537): SoftwareKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  const modulus = Buffer.from(publicKey.export({ format: 'jwk' }).n!, 'base64url');
  const exponent = publicExponent === 65537 ? 0 : publicExponent;
  return {
    kind: 'rsa',
    privateKey,
    spki: spkiOf(publicKey),
    publicArea: (changed) => encodeRsaPublic({ ...plainFields, ...changed }, modulus, { exponent }),
  };
}

function spkiOf(publicKey: KeyObject): Der {
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
}

const issuerKey = eccKey();
const issuerName: Name = buildName([{ type: 'commonName', value: 'Attestation CA' }]);

export interface CertificateSettings {
  readonly spki: Der;
  readonly names: readonly GeneralName[];
  readonly usages: readonly string[];
  readonly policies: readonly string[];
  readonly keyUsage: readonly string[] | null;
  readonly ca: boolean;
}

/** 1970 to 9999: whoever looks at the clock here is wrong whatever it says. */
export function certify(settings: Partial<CertificateSettings> & { readonly spki: Der }): Der {
  const { spki, names = [tpmName()], policies = [], keyUsage = ['digitalSignature'], ca = false } = settings;
  const usages = settings.usages ?? [extendedKeyUsages.tcgAttestationIdentityKey];
  const extensions: Extension[] = [extension('basicConstraints', encodeBasicConstraints({ ca }))];
  if (keyUsage !== null) extensions.push(extension('keyUsage', encodeKeyUsage(keyUsage)));
  if (usages.length > 0) extensions.push(extension('extendedKeyUsage', encodeExtendedKeyUsage(usages)));
  if (names.length > 0) extensions.push(extension('subjectAltName', encodeSubjectAltName(names)));
  if (policies.length > 0) {
    extensions.push(extension('certificatePolicies', encodeCertificatePolicies(policies)));
  }
  return issue([], spki, extensions);
}

/** The same RSA key under id-RSAES-OAEP (RFC 4055 section 4.1), as some manufacturers certify it. `parameters`: DER. */
export function oaepSpki(spki: Der, parameters: readonly Der[]): Der {
  const { publicKey } = subjectPublicKeyInfoOf(readDer(spki));
  return der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.7'), ...parameters), der.bitString(publicKey));
}

/** The CA of all these certificates. */
export const root: Der = issue(issuerName, issuerKey.spki, [
  extension('basicConstraints', encodeBasicConstraints({ ca: true })),
  extension('keyUsage', encodeKeyUsage(['keyCertSign'])),
]);

function issue(subject: Name, spki: Der, extensions: readonly Extension[]): Der {
  const tbs = encodeTbsCertificate({
    serialNumber: '01',
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(issuerName),
    subject,
    notBefore: 0,
    notAfter: Date.UTC(9999, 11, 31, 23, 59, 59),
    spki,
    extensions,
  });
  return assembleSigned(tbs, 'ec-p256', sign('sha256', tbs, issuerKey.privateKey));
}

function extension(name: keyof typeof extensionOids, value: Der): Extension {
  return { oid: extensionOids[name], critical: true, value };
}

/** The directory name that TPM certificates have. */
export function tpmName({
  manufacturer = 'id:53544D20',
  model = 'ST33',
  version = 'id:00010203',
} = {}): GeneralName {
  const value: Name = [
    [
      { type: '2.23.133.2.1', value: manufacturer, encoding: 'utf8' },
      { type: '2.23.133.2.2', value: model, encoding: 'utf8' },
      { type: '2.23.133.2.3', value: version, encoding: 'utf8' },
    ],
  ];
  return { kind: 'directoryName', value };
}

export function permanentIdentifier(value: string | null, assigner?: string): GeneralName {
  return otherName(
    '1.3.6.1.5.5.7.8.3',
    der.sequence(
      ...(value === null ? [] : [der.utf8String(value)]),
      ...(assigner === undefined ? [] : [der.oid(assigner)]),
    ),
  );
}

export function hardwareModule(serialNumber: string | Uint8Array): GeneralName {
  const octets = typeof serialNumber === 'string' ? Buffer.from(serialNumber) : serialNumber;
  return otherName(oids.hardwareModuleName, der.sequence(der.oid('2.23.133.1.2'), der.octetString(octets)));
}

function otherName(type: string, value: Der): GeneralName {
  return { kind: 'otherName', type, value: value.toBase64() };
}

export const nonce = Buffer.from('token.thumbprint');

export interface Recipe {
  readonly attestationKey: SoftwareKey;
  readonly certificate: Partial<CertificateSettings>;
  readonly scheme: 'rsassa' | 'rsapss';
  readonly saltLength: number;
  readonly hash: TpmHash;
  readonly form: 'raw' | 'tpmt';
  readonly publicArea: Uint8Array;
  /** What the attested key's name is made with. */
  readonly nameAlg: NameHash;
  readonly attest: Partial<AttestFields>;
  readonly others: readonly Der[];
}

export const defaultKeys = { attestation: eccKey(), attested: eccKey() };

export interface Parts {
  readonly x5c: readonly Der[];
  readonly attest: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicArea: Uint8Array;
  readonly alg: number;
}

/** A statement in which everything is in order, but for what the recipe changes; signed after the change. */
export function makeParts(recipe: Partial<Recipe> = {}): Parts {
  const {
    attestationKey = defaultKeys.attestation,
    hash = 'sha256',
    form = 'tpmt',
    nameAlg = 'sha256',
  } = recipe;
  const publicArea = recipe.publicArea ?? defaultKeys.attested.publicArea();
  const attest = encodeAttest({
    extraData: digest(hash, nonce),
    name: nameOf(nameAlg, publicArea),
    ...recipe.attest,
  });
  const scheme = attestationKey.kind === 'rsa' ? (recipe.scheme ?? 'rsassa') : 'ecdsa';
  const raw = signRaw(attestationKey, scheme, hash, recipe.saltLength, attest);
  const certificate = certify({ spki: attestationKey.spki, ...recipe.certificate });
  return {
    x5c: [certificate, ...(recipe.others ?? [root])],
    attest,
    signature: form === 'raw' ? raw : wrap(scheme, hash, raw),
    publicArea,
    alg: coseAlgorithms[scheme][hash],
  };
}

type Scheme = 'rsassa' | 'rsapss' | 'ecdsa';

const coseAlgorithms: Readonly<Record<Scheme, Record<TpmHash, number>>> = {
  rsassa: { sha1: -65535, sha256: -257, sha384: -258, sha512: -259 },
  rsapss: { sha1: -65536, sha256: -37, sha384: -38, sha512: -39 },
  ecdsa: { sha1: -65536, sha256: -7, sha384: -35, sha512: -36 },
};

function signRaw(
  { privateKey }: SoftwareKey,
  scheme: Scheme,
  hash: TpmHash,
  saltLength: number | undefined,
  data: Uint8Array,
): Uint8Array {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const salt = saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST;
  const key = scheme === 'rsapss' ? { key: privateKey, padding, saltLength: salt } : privateKey;
  return new Uint8Array(sign(hash, data, key));
}

/** TPMT_SIGNATURE around a signature as certificates have it. */
export function wrap(scheme: Scheme, hash: TpmHash, raw: Uint8Array): Uint8Array {
  if (scheme !== 'ecdsa') return encodeSignature(ids[scheme], hashId(hash), raw);
  const numbers = readDer(raw).sequence('Ecdsa-Sig-Value');
  const [r, s] = [numbers.next().unsignedBytes('r'), numbers.next().unsignedBytes('s')];
  return encodeSignature(ids.ecdsa, hashId(hash), r, s);
}

/** An attestation object, with these members of attStmt in place of the honest ones. */
export function makeObject(
  recipe: Partial<Recipe> = {},
  changed: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  return encodeObject(makeParts(recipe), changed);
}

export function encodeObject(parts: Parts, changed: Readonly<Record<string, unknown>> = {}): Uint8Array {
  const { x5c, attest, signature, publicArea, alg } = parts;
  const attStmt = { ver: '2.0', alg, x5c, sig: signature, certInfo: attest, pubArea: publicArea, ...changed };
  return encode({ fmt: 'tpm', attStmt });
}

/** TcgAttestTpmCertify. */
export function encodeTcgStatement({ attest, signature, publicArea }: Parts): Der {
  return der.sequence(der.octetString(attest), der.octetString(signature), der.octetString(publicArea));
}

export function encodeBundle(
  statements: readonly (readonly [type: string, value: Der, hint?: Der])[],
  certificates: readonly Der[] = [],
): Der {
  return der.sequence(
    der.sequence(
      ...statements.map(([type, value, hint]) => der.sequence(der.oid(type), value, ...(hint ? [hint] : []))),
    ),
    ...(certificates.length === 0 ? [] : [der.sequence(...certificates)]),
  );
}

/** An AttestationBundle with one tcg-attest-tpm-certify, whose qualifying data is the nonce itself. */
export function makeBundle(recipe: Partial<Recipe> = {}): Der {
  const parts = makeParts({ ...recipe, attest: { extraData: nonce, ...recipe.attest } });
  return encodeBundle([[statementTypes.tpmCertify, encodeTcgStatement(parts)]], parts.x5c);
}
