import { SallyportError } from '#errors';
import { algorithmIdentifierOf } from './algorithm-identifier.ts';
import { type Der, type DerCursor, readDer } from './der-node.ts';
import { contextConstructed } from './der-tags.ts';
import { parseBasicConstraints } from './extensions/basic-constraints.ts';
import { type Extension, extensionsOf, findExtension } from './extensions/extension.ts';
import { parseAuthorityKeyIdentifier, parseSubjectKeyIdentifier } from './extensions/key-identifier.ts';
import { parseKeyUsage } from './extensions/key-usage.ts';
import { parseExtendedKeyUsage } from './extensions/oid-list.ts';
import { type GeneralName, parseGeneralNames } from './general-name.ts';
import { type Name, nameOf } from './name.ts';
import { extensionOids } from './oids.ts';
import { serialNumberOf } from './serial-number.ts';
import { requireSameAlgorithm, signedOf } from './signed.ts';
import { verifySignature } from './signature.ts';

/** A parsed certificate. Byte values are views of `der`. */
export interface Certificate {
  readonly der: Der;
  readonly tbs: Der;
  /** Lower-case hexadecimal, two digits an octet, no leading zero octet. */
  readonly serialNumber: string;
  /** Dotted OID. */
  readonly signatureAlgorithm: string;
  /** The whole AlgorithmIdentifier. */
  readonly signatureAlgorithmDer: Der;
  readonly issuer: Name;
  readonly issuerDer: Der;
  readonly subject: Name;
  readonly subjectDer: Der;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Der;
  readonly extensions: readonly Extension[];
  readonly signature: Uint8Array;
  /** basicConstraints says cA TRUE. */
  readonly isCa: boolean;
  /** Empty where the extension is absent. */
  readonly subjectAltName: readonly GeneralName[];
  /** null: the extension is absent. */
  readonly keyUsage: readonly string[] | null;
  readonly extendedKeyUsage: readonly string[] | null;
  readonly subjectKeyIdentifier: Uint8Array | null;
  readonly authorityKeyIdentifier: Uint8Array | null;
}

/** What TBSCertificate says by itself. */
export type TbsCertificate = Omit<Certificate, 'der' | 'signature'>;

/**
 * RFC 5280 section 4.1, versions 1 and 3. Throws `malformed`, `unsupported` or `too-large`. No signature is verified. `serialOctets`: the longest serial
 * number, where those of the RFC are not enough.
 */
export function parseCertificate(bytes: Der, { serialOctets }: { serialOctets?: number } = {}): Certificate {
  const node = readDer(bytes);
  const { toBeSigned, algorithm, signature } = signedOf(node, 'Certificate');
  const fields = tbsCertificateOf(toBeSigned.der, toBeSigned.sequence('TBSCertificate'), serialOctets);
  requireSameAlgorithm(fields.signatureAlgorithmDer, algorithm.der);
  return { der: node.der, ...fields, signature };
}

/** Of DER in base64, as `parseCertificate`. */
export function parseBase64Certificate(base64: string): Certificate {
  return parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
}

/** The same for a to-be-signed certificate that nobody has signed yet. */
export function parseTbsCertificate(bytes: Der): TbsCertificate {
  const node = readDer(bytes);
  return tbsCertificateOf(node.der, node.sequence('TBSCertificate'));
}

/** Whether the certificate's signature is by the issuer's key. Throws as `verifySignature` does. */
export function verifyCertificateSignature(certificate: Certificate, issuerSpki: Der): boolean {
  const { signatureAlgorithmDer, tbs, signature } = certificate;
  return verifySignature(signatureAlgorithmDer, issuerSpki, tbs, signature);
}

function tbsCertificateOf(tbs: Der, fields: DerCursor, serialOctets?: number): TbsCertificate {
  const version = versionOf(fields);
  const serialNumber = serialNumberOf(fields.next(), serialOctets);
  const algorithm = algorithmIdentifierOf(fields.next());
  const issuer = fields.next();
  const validity = fields.next().sequence('Validity');
  const notBefore = validity.next().time('notBefore');
  const notAfter = validity.next().time('notAfter');
  validity.finish();
  const subject = fields.next();
  const spki = fields.next().der;
  const extensions = version === 3 ? certificateExtensions(fields) : [];
  fields.finish();
  return {
    tbs,
    serialNumber,
    signatureAlgorithm: algorithm.oid,
    signatureAlgorithmDer: algorithm.der,
    issuer: nameOf(issuer),
    issuerDer: issuer.der,
    subject: nameOf(subject),
    subjectDer: subject.der,
    notBefore,
    notAfter,
    spki,
    extensions,
    isCa: parsed(extensions, extensionOids.basicConstraints, parseBasicConstraints)?.ca ?? false,
    subjectAltName: parsed(extensions, extensionOids.subjectAltName, parseGeneralNames) ?? [],
    keyUsage: parsed(extensions, extensionOids.keyUsage, parseKeyUsage),
    extendedKeyUsage: parsed(extensions, extensionOids.extendedKeyUsage, parseExtendedKeyUsage),
    subjectKeyIdentifier: parsed(extensions, extensionOids.subjectKeyIdentifier, parseSubjectKeyIdentifier),
    authorityKeyIdentifier: parsed(
      extensions,
      extensionOids.authorityKeyIdentifier,
      parseAuthorityKeyIdentifier,
    ),
  };
}

/** Version 2 and its unique identifiers have never been used. Version 1 is written by its absence. */
function versionOf(fields: DerCursor): 1 | 3 {
  const explicit = fields.optional(contextConstructed(0))?.children('version');
  if (explicit === undefined) return 1;
  const version = explicit.next().smallInteger('version') + 1;
  explicit.finish();
  if (version !== 3) throw new SallyportError('unsupported', `certificate version ${version} written out`);
  return version;
}

function certificateExtensions(fields: DerCursor): Extension[] {
  const explicit = fields.optional(contextConstructed(3))?.children('extensions');
  if (explicit === undefined) return [];
  const extensions = extensionsOf(explicit.next());
  explicit.finish();
  return extensions;
}

function parsed<T>(extensions: readonly Extension[], oid: string, parse: (value: Uint8Array) => T): T | null {
  const value = findExtension(extensions, oid);
  return value === null ? null : parse(value);
}
