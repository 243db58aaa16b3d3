import { SallyportError } from '#errors';
import {
  assembleSigned,
  type Der,
  encodeAuthorityKeyIdentifier,
  encodeCrlNumber,
  encodeRevokedCertificates,
  encodeTbsCertList,
  extensionOids,
  keyIdentifier,
  signatureAlgorithmIdentifier,
  verifySignatureOfMuch,
} from '#x509';
import { isLoadedIssuer, type Issuer } from './issuer.ts';
import { type RevocationReason, revocationReasons } from './revocation-reason.ts';

export interface RevokedSerialNumber {
  readonly serialNumber: string;
  /** Milliseconds. */
  readonly revokedAt: number;
  /** removeFromCRL is for delta CRLs only, which are not issued. */
  readonly reason: Exclude<RevocationReason, 'removeFromCRL'>;
}

export interface CrlContent {
  /** Greater than that of every CRL issued before. */
  readonly number: bigint;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** In parts, each of which is written in one go: others have their turn between them. */
  readonly revoked: Iterable<readonly RevokedSerialNumber[]> | AsyncIterable<readonly RevokedSerialNumber[]>;
}

export interface Crl {
  readonly der: Der;
  /** How many serial numbers are on it. */
  readonly listed: number;
}

/** A full CRL of the issuer (RFC 5280 section 5). */
export async function issueCrl(issuer: Issuer, content: CrlContent): Promise<Crl> {
  requireIssuable(issuer, content);
  const { certificate, key } = issuer;
  const authority = certificate.subjectKeyIdentifier ?? keyIdentifier(certificate.spki);
  const { parts, listed } = await encodeList(content.revoked);
  const tbs = encodeTbsCertList({
    signatureAlgorithm: key.algorithm,
    issuer: certificate.subjectDer,
    thisUpdate: content.thisUpdate,
    nextUpdate: content.nextUpdate,
    revoked: parts,
    // RFC 5280 section 5.2: a conforming CA's CRLs MUST have these two.
    extensions: [
      {
        oid: extensionOids.authorityKeyIdentifier,
        critical: false,
        value: encodeAuthorityKeyIdentifier(authority),
      },
      { oid: extensionOids.crlNumber, critical: false, value: encodeCrlNumber(content.number) },
    ],
  });
  const signature = await key.sign(tbs);
  const algorithm = signatureAlgorithmIdentifier(key.algorithm);
  if (!(await verifySignatureOfMuch(algorithm, key.spki, tbs, signature))) {
    throw new SallyportError(
      'internal',
      `issuer ${issuer.name} made a wrong signature; the CRL was thrown away`,
    );
  }
  return { der: assembleSigned(tbs, key.algorithm, signature), listed };
}

async function encodeList(revoked: CrlContent['revoked']): Promise<{ parts: Der[]; listed: number }> {
  const parts: Der[] = [];
  const serialNumbers = new Set<string>();
  let listed = 0;
  for await (const part of revoked) {
    for (const { serialNumber } of part) serialNumbers.add(serialNumber);
    listed += part.length;
    if (serialNumbers.size !== listed) {
      throw new SallyportError('internal', 'a CRL would name one serial number twice');
    }
    parts.push(
      encodeRevokedCertificates(part.map((entry) => ({ ...entry, reason: revocationReasons[entry.reason] }))),
    );
  }
  return { parts, listed };
}

function requireIssuable(issuer: Issuer, { thisUpdate, nextUpdate }: CrlContent): void {
  if (!isLoadedIssuer(issuer)) {
    throw new SallyportError('internal', 'the issuer was not loaded with its checks');
  }
  // RFC 5280 section 4.2.1.3: cRLSign "is asserted when the subject public key is used for verifying signatures on CRLs".
  if (!issuer.certificate.keyUsage?.includes('cRLSign')) {
    throw new SallyportError('config', `issuer ${issuer.name} may not sign CRLs (keyUsage cRLSign)`);
  }
  // RFC 5280 section 5.1.2.5.
  if (nextUpdate <= thisUpdate) {
    throw new SallyportError('internal', 'the next update of a CRL is not after this one');
  }
}
