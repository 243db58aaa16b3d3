import { SallyportError } from '#errors';
import { type Certificate, type Der, type KeyUsage, der, oids } from '#x509';
import { type Content, encodeContentInfo } from './content-info.ts';
import { type MessageDigest, verifyMessageSignature } from './message-digest.ts';
import { type Signer, type Signing, digestAlgorithm, signerInfo, signingOf } from './signer-info.ts';

const signingUsages: readonly KeyUsage[] = ['digitalSignature', 'nonRepudiation'];

/**
 * ContentInfo with a SignedData around the content, by one signer, with the signer's certificate first and its chain after
 * it (RFC 5652 section 5.1). `signingTime` is in milliseconds since 1970, cut to the second.
 * @throws SallyportError 'unsupported' where the certificate's keyUsage forbids to sign messages
 */
export async function signedData(content: Content, signer: Signer, signingTime: number): Promise<Der> {
  const { certificate, chain } = signer;
  requireSigningUsage(certificate);
  const signing = signingOf(signer);
  const info = await signerInfo(content, certificate, signing, signingTime);
  return message(content, signing.digest, [certificate.der, ...chain], info);
}

/** Who answers messages with RSA: an RA. */
export interface MessageSigner {
  readonly certificate: Certificate;
  /** A MessageKey of #keys is one. */
  readonly key: { sign(data: Uint8Array, hash: MessageDigest): Promise<Uint8Array> };
}

/**
 * The same for a protocol whose clients choose the digest, and whose messages have attributes of their own. The signature algorithm is rsaEncryption, as
 * all of them know it (RFC 3370 section 3.2); strongSwan knows no other. Without content where `bytes` is null.
 */
export async function signedMessage(
  content: { readonly type: string; readonly bytes: Der | null },
  { certificate, key }: MessageSigner,
  form: {
    readonly digest: MessageDigest;
    readonly attributes: readonly Der[];
    /** Beside or instead of the signer's: all that go with the message. */
    readonly certificates: readonly Der[];
    readonly signingTime: number;
  },
): Promise<Der> {
  const { digest, attributes, certificates, signingTime } = form;
  requireSigningUsage(certificate);
  const signing: Signing = {
    digest,
    algorithm: rsaEncryption,
    sign: (data) => key.sign(data, digest),
    verify: (...signed) => verifyMessageSignature('rsa', digest, ...signed),
  };
  const info = await signerInfo(content, certificate, signing, signingTime, attributes);
  return message(content, digest, certificates, info);
}

const rsaEncryption = der.sequence(der.oid(oids.rsaEncryption), der.null());

function message(
  { type, bytes }: { readonly type: string; readonly bytes: Der | null },
  digest: MessageDigest,
  certificates: readonly Der[],
  info: Der,
): Der {
  const eContent = bytes === null ? [] : [der.explicit(0, der.octetString(bytes))];
  const signed = der.sequence(
    der.integer(versionFor(type)),
    der.set(digestAlgorithm(digest)),
    der.sequence(der.oid(type), ...eContent),
    der.implicitConstructed(0, ...certificates),
    der.set(info),
  );
  return encodeContentInfo({ type: oids.signedData, bytes: signed });
}

/** RFC 5652 section 5.1, with X.509 certificates alone and a SignerInfo of version 1. */
function versionFor(type: string): number {
  return type === oids.data ? 1 : 3;
}

/** RFC 5280 section 4.2.1.3: keyCertSign and cRLSign are for certificates and CRLs, and for nothing else. */
function requireSigningUsage({ keyUsage }: Certificate): void {
  if (keyUsage === null || signingUsages.some((usage) => keyUsage.includes(usage))) return;
  throw new SallyportError(
    'unsupported',
    `SignedData: the signer needs a certificate with keyUsage ${signingUsages.join(' or ')}`,
  );
}
