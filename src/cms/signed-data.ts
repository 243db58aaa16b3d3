import { SallyportError } from '#errors';
import { type Der, type KeyUsage, der, oids } from '#x509';
import { type Content, encodeContentInfo } from './content-info.ts';
import { type Signer, digestAlgorithm, signerInfo } from './signer-info.ts';

const signingUsages: readonly KeyUsage[] = ['digitalSignature', 'nonRepudiation'];

/**
 * ContentInfo with a SignedData around the content, by one signer, with the signer's certificate first and its chain after
 * it (RFC 5652 section 5.1). `signingTime` is in milliseconds since 1970, cut to the second.
 * @throws SallyportError 'unsupported' where the certificate's keyUsage forbids to sign messages
 */
export async function signedData(content: Content, signer: Signer, signingTime: number): Promise<Der> {
  requireSigningUsage(signer);
  const info = await signerInfo(content, signer, signingTime);
  const bytes = der.sequence(
    der.integer(versionFor(content)),
    der.set(digestAlgorithm(signer)),
    der.sequence(der.oid(content.type), der.explicit(0, der.octetString(content.bytes))),
    der.implicitConstructed(0, signer.certificate.der, ...signer.chain),
    der.set(info),
  );
  return encodeContentInfo({ type: oids.signedData, bytes });
}

/** RFC 5652 section 5.1, with X.509 certificates alone and a SignerInfo of version 1. */
function versionFor({ type }: Content): number {
  return type === oids.data ? 1 : 3;
}

/** RFC 5280 section 4.2.1.3: keyCertSign and cRLSign are for certificates and CRLs, and for nothing else. */
function requireSigningUsage({ certificate: { keyUsage } }: Signer): void {
  if (keyUsage === null || signingUsages.some((usage) => keyUsage.includes(usage))) return;
  throw new SallyportError(
    'unsupported',
    `SignedData: the signer needs a certificate with keyUsage ${signingUsages.join(' or ')}`,
  );
}
