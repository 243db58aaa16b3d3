import { SallyportError } from '#errors';
import type { SigningKey } from '#keys';
import {
  type Certificate,
  type Der,
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCrlDistributionPoints,
  encodeKeyUsage,
  encodeName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  type Extension,
  extensionOids,
  keyIdentifier,
  type Name,
  type TbsCertificateFields,
} from '#x509';
import { listenerProfile, requireListenerNames } from './listener-certificate.ts';
import { type OwnRequest, signOwn, signWith } from './own-certificate.ts';

interface Validity {
  /** Milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface RootRequest extends Validity {
  readonly subject: Name;
  readonly key: SigningKey;
  /** From `randomSerialNumber`. */
  readonly serialNumber: string;
}

export interface IssuerRequest extends Validity {
  readonly root: { readonly certificate: Certificate; readonly key: SigningKey };
  readonly subject: Name;
  /** Of the new issuer: its public half is certified. */
  readonly key: Pick<SigningKey, 'algorithm' | 'spki'>;
  readonly serialNumber: string;
  /** Of the root's CRL and certificate; may be empty. */
  readonly crlUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
}

export type ListenerRequest = OwnRequest;

/**
 * The signatures that no verdict precedes, because there is no authority yet: made once, by an operator, when one is
 * set up. Nothing that serves requests may import this.
 */
export const ceremony = { createRoot, signIssuer, signListener } as const;

/** A self-signed root (RFC 5280 section 3.2). */
async function createRoot({
  subject,
  key,
  serialNumber,
  notBefore,
  notAfter,
}: RootRequest): Promise<Certificate> {
  return sign(key, {
    serialNumber,
    signatureAlgorithm: key.algorithm,
    issuer: encodeName(subject),
    subject,
    notBefore,
    notAfter,
    spki: key.spki,
    extensions: authorityExtensions(key.spki, null),
  });
}

/** An issuing authority under the root, which can certify end entities only: pathLenConstraint 0. */
async function signIssuer(request: IssuerRequest): Promise<Certificate> {
  const { root, subject, key, serialNumber, notBefore, notAfter, crlUrls, caIssuersUrls } = request;
  if (notBefore < root.certificate.notBefore || notAfter > root.certificate.notAfter) {
    throw new SallyportError('lint', "the issuer's validity is not within the root's");
  }
  const authority = root.certificate.subjectKeyIdentifier ?? keyIdentifier(root.certificate.spki);
  const extensions = [
    ...authorityExtensions(key.spki, 0),
    extension('authorityKeyIdentifier', false, encodeAuthorityKeyIdentifier(authority)),
  ];
  if (crlUrls.length > 0) {
    extensions.push(extension('crlDistributionPoints', false, encodeCrlDistributionPoints(crlUrls)));
  }
  if (caIssuersUrls.length > 0) {
    const access = encodeAuthorityInfoAccess({ caIssuers: caIssuersUrls });
    extensions.push(extension('authorityInfoAccess', false, access));
  }
  return sign(root.key, {
    serialNumber,
    signatureAlgorithm: root.key.algorithm,
    issuer: root.certificate.subjectDer,
    subject,
    notBefore,
    notAfter,
    spki: key.spki,
    extensions,
  });
}

/** A TLS server certificate for one of our own listeners. */
async function signListener(request: ListenerRequest): Promise<Certificate> {
  requireListenerNames(request.subjectAltName);
  return signOwn(request, listenerProfile);
}

/** RFC 5280 sections 4.2.1.9, 4.2.1.3 and 4.2.1.2. */
function authorityExtensions(spki: Der, pathLength: number | null): Extension[] {
  const constraints = pathLength === null ? { ca: true } : { ca: true, pathLength };
  return [
    extension('basicConstraints', true, encodeBasicConstraints(constraints)),
    extension('keyUsage', true, encodeKeyUsage(['keyCertSign', 'cRLSign'])),
    extension('subjectKeyIdentifier', false, encodeSubjectKeyIdentifier(keyIdentifier(spki))),
  ];
}

function extension(name: keyof typeof extensionOids, critical: boolean, value: Uint8Array): Extension {
  return { oid: extensionOids[name], critical, value };
}

async function sign(key: SigningKey, fields: TbsCertificateFields): Promise<Certificate> {
  if (fields.subject.length === 0) {
    throw new SallyportError('lint', 'an authority needs a subject (RFC 5280 section 4.1.2.6)');
  }
  if (fields.notBefore >= fields.notAfter) {
    throw new SallyportError('lint', 'notBefore is not before notAfter');
  }
  return signWith(key, encodeTbsCertificate(fields));
}
