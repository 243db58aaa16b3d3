import { SallyportError } from '#errors';
import { algorithmIdentifierOf } from './algorithm-identifier.ts';
import { listDerLimits } from './der-limits.ts';
import { type Der, type DerCursor, type DerNode, readDer } from './der-node.ts';
import { contextConstructed, tags } from './der-tags.ts';
import { parseCrlNumber, parseReasonCode } from './extensions/crl-extensions.ts';
import { type Extension, extensionsOf, findExtension } from './extensions/extension.ts';
import { parseAuthorityKeyIdentifier } from './extensions/key-identifier.ts';
import { type Name, nameOf } from './name.ts';
import { extensionOids } from './oids.ts';
import { serialNumberOf } from './serial-number.ts';
import { verifySignature } from './signature.ts';
import { requireSameAlgorithm, signedOf } from './signed.ts';
import type { RevokedCertificate } from './tbs-cert-list.ts';

/** A parsed CRL. Byte values are views of `der`. */
export interface CertificateList {
  readonly der: Der;
  readonly tbs: Der;
  readonly signatureAlgorithm: string;
  /** The whole AlgorithmIdentifier. */
  readonly signatureAlgorithmDer: Der;
  readonly issuer: Name;
  readonly issuerDer: Der;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly RevokedCertificate[];
  readonly extensions: readonly Extension[];
  readonly crlNumber: bigint | null;
  readonly authorityKeyIdentifier: Uint8Array | null;
  readonly signature: Uint8Array;
}

/**
 * RFC 5280 sections 5.2.4, 5.2.5 and 5.3.3 have these critical, and whoever leaves that out has a list of a part all the same: of changes, of another issuer's
 * certificates, of some reasons or kinds, or of those of one distribution point, for which alone it need be whole.
 */
const partial: ReadonlySet<string> = new Set([
  extensionOids.deltaCrlIndicator,
  extensionOids.issuingDistributionPoint,
  extensionOids.certificateIssuer,
]);

/** What a full CRL of one issuer may have, critical. */
const understood: ReadonlySet<string> = new Set([
  extensionOids.crlNumber,
  extensionOids.authorityKeyIdentifier,
]);
const entryUnderstood: ReadonlySet<string> = new Set([
  extensionOids.reasonCode,
  extensionOids.invalidityDate,
]);

/**
 * RFC 5280 section 5.1, version 2, of up to 16 MiB. Throws `malformed`, `unsupported` (also for critical extensions that
 * are not understood, and for lists of a part) or `too-large`. The signature is not verified.
 */
export function parseCertificateList(bytes: Der): CertificateList {
  const node = readDer(bytes, listDerLimits);
  const { toBeSigned, algorithm: outside, signature } = signedOf(node, 'CertificateList');
  const fields = toBeSigned.sequence('TBSCertList');
  if (fields.optional(tags.integer)?.smallInteger('version') !== 1) {
    throw new SallyportError('unsupported', 'CertificateList: only version 2 is read');
  }
  const algorithm = algorithmIdentifierOf(fields.next());
  requireSameAlgorithm(algorithm.der, outside.der);
  const issuer = fields.next();
  const thisUpdate = fields.next().time('thisUpdate');
  const nextUpdate = fields.next().time('nextUpdate');
  const revoked = revokedOf(fields);
  const extensions = crlExtensions(fields);
  fields.finish();
  const crlNumber = findExtension(extensions, extensionOids.crlNumber);
  const authorityKeyIdentifier = findExtension(extensions, extensionOids.authorityKeyIdentifier);
  return {
    der: node.der,
    tbs: toBeSigned.der,
    signatureAlgorithm: algorithm.oid,
    signatureAlgorithmDer: algorithm.der,
    issuer: nameOf(issuer),
    issuerDer: issuer.der,
    thisUpdate,
    nextUpdate,
    revoked,
    extensions,
    crlNumber: crlNumber === null ? null : parseCrlNumber(crlNumber),
    authorityKeyIdentifier:
      authorityKeyIdentifier === null ? null : parseAuthorityKeyIdentifier(authorityKeyIdentifier),
    signature,
  };
}

/** Whether the list's signature is by the issuer's key. Throws as `verifySignature` does. */
export function verifyCertificateListSignature(list: CertificateList, issuerSpki: Der): boolean {
  return verifySignature(list.signatureAlgorithmDer, issuerSpki, list.tbs, list.signature);
}

function revokedOf(fields: DerCursor): RevokedCertificate[] {
  const list = fields.optional(tags.sequence)?.sequence('revokedCertificates');
  if (list === undefined) return [];
  if (!list.more) throw new SallyportError('malformed', 'revokedCertificates: empty');
  const revoked: RevokedCertificate[] = [];
  while (list.more) revoked.push(entryOf(list.next()));
  return revoked;
}

function entryOf(node: DerNode): RevokedCertificate {
  const fields = node.sequence('revokedCertificate');
  const serialNumber = serialNumberOf(fields.next());
  const revokedAt = fields.next().time('revocationDate');
  const extensions = fields.more ? extensionsOf(fields.next()) : [];
  fields.finish();
  refusePartial(extensions, entryUnderstood);
  const reason = findExtension(extensions, extensionOids.reasonCode);
  return { serialNumber, revokedAt, reason: reason === null ? 0 : parseReasonCode(reason) };
}

function crlExtensions(fields: DerCursor): Extension[] {
  const explicit = fields.optional(contextConstructed(0))?.children('crlExtensions');
  if (explicit === undefined) return [];
  const extensions = extensionsOf(explicit.next());
  explicit.finish();
  refusePartial(extensions, understood);
  return extensions;
}

function refusePartial(extensions: readonly Extension[], known: ReadonlySet<string>): void {
  for (const { oid, critical } of extensions) {
    if (partial.has(oid)) throw new SallyportError('unsupported', `CRL extension ${oid}: it is of a part`);
    if (critical && !known.has(oid)) throw new SallyportError('unsupported', `critical CRL extension ${oid}`);
  }
}
