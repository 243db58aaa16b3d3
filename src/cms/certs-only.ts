import { SallyportError } from '#errors';
import { type Der, type DerCursor, contextConstructed, der, oids } from '#x509';
import { contentInfoOf, encodeContentInfo } from './content-info.ts';

const maximumCertificates = 64;

const noDigestAlgorithms = der.set();
const noContent = der.sequence(der.oid(oids.data));
const noSignerInfos = der.set();

/**
 * SignedData without content or signers, which carries certificates (RFC 8551 section 3.8, RFC 7030 section 4.1.3). They
 * stay in the order given, the leaf first: clients that take the first one for theirs are older than SET OF's order, which
 * CMS demands of signed attributes only.
 */
export function certsOnly(certificates: readonly Der[]): Der {
  if (certificates.length === 0) throw new SallyportError('malformed', 'SignedData: no certificates');
  const bytes = der.sequence(
    der.integer(1),
    noDigestAlgorithms,
    noContent,
    der.implicitConstructed(0, ...certificates),
    noSignerInfos,
  );
  return encodeContentInfo({ type: oids.signedData, bytes });
}

/** The same with a CRL and no certificate (RFC 8894 section 3.3.5). */
export function crlOnly(crl: Der): Der {
  const bytes = der.sequence(
    der.integer(1),
    noDigestAlgorithms,
    noContent,
    der.implicitConstructed(1, crl),
    noSignerInfos,
  );
  return encodeContentInfo({ type: oids.signedData, bytes });
}

/** The certificates in the order they came, each a view of `bytes`. Throws `malformed`, `unsupported` or `too-large`. */
export function parseCertsOnly(bytes: Der): Der[] {
  const { type, content } = contentInfoOf(bytes);
  if (type !== oids.signedData) throw new SallyportError('unsupported', 'ContentInfo: not SignedData');
  return certificatesOf(content.sequence('SignedData'));
}

function certificatesOf(fields: DerCursor): Der[] {
  if (fields.next().smallInteger('version') !== 1) {
    throw new SallyportError('unsupported', 'SignedData: a certs-only message has version 1');
  }
  fields.next().set('digestAlgorithms').finish();
  const encapContentInfo = fields.next().sequence('encapContentInfo');
  if (encapContentInfo.next().oid('eContentType') !== oids.data) {
    throw new SallyportError('unsupported', 'SignedData: eContentType is not id-data');
  }
  encapContentInfo.finish();
  const set = fields.optional(contextConstructed(0))?.children('certificates');
  // OpenSSL and others write CRLs into the same message; nothing here reads them.
  fields.optional(contextConstructed(1));
  fields.next().set('signerInfos').finish();
  fields.finish();
  const certificates: Der[] = [];
  for (const certificate of set ?? []) {
    if (certificates.length === maximumCertificates) {
      throw new SallyportError('too-large', `SignedData: more than ${maximumCertificates} certificates`);
    }
    certificates.push(certificate.der);
  }
  if (certificates.length === 0) throw new SallyportError('malformed', 'SignedData: no certificates');
  return certificates;
}
