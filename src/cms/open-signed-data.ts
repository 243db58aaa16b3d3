import { SallyportError } from '#errors';
import {
  type Certificate,
  contextConstructed,
  type Der,
  type DerCursor,
  type DerNode,
  der,
  derFromBer,
  oids,
  parseCertificate,
  readDer,
  tags,
} from '#x509';
import { hash, timingSafeEqual } from 'node:crypto';
import { certificateMatcher } from './certificate-identifier.ts';
import { cmsOids } from './cms-oids.ts';
import { type Content, contentInfoOf, messageLimits } from './content-info.ts';
import { type MessageDigest, verifyMessageSignature } from './message-digest.ts';

/** A message that one signer signed, verified. Who the signer is, and whether that suffices, is for others to say. */
export interface SignedMessage {
  /** null: it has none, which was signed as well. */
  readonly content: Content | null;
  /** The certificate whose key signed; it may be self-signed, expired, or anybody's. */
  readonly signer: Certificate;
  /** What else came with it, as it came. */
  readonly beside: readonly Der[];
  readonly digest: MessageDigest;
  /** Values of the signed attributes, by dotted OID. Each attribute is there once and has one value. */
  readonly attributes: ReadonlyMap<string, Der>;
}

const digests: ReadonlyMap<string, MessageDigest> = new Map([
  [oids.sha1, 'sha1'],
  [oids.sha256, 'sha256'],
  [oids.sha384, 'sha384'],
  [oids.sha512, 'sha512'],
]);

/** By signature algorithm: the digest that it names, null where the digest is named beside it; and what verifies with a digest. */
const signatureAlgorithms: ReadonlyMap<string, { digest: MessageDigest | null; family: 'rsa' | 'ecdsa' }> =
  new Map([
    [oids.rsaEncryption, { digest: null, family: 'rsa' }],
    [oids.sha1WithRsaEncryption, { digest: 'sha1', family: 'rsa' }],
    [oids.sha256WithRsaEncryption, { digest: 'sha256', family: 'rsa' }],
    [oids.sha384WithRsaEncryption, { digest: 'sha384', family: 'rsa' }],
    [oids.sha512WithRsaEncryption, { digest: 'sha512', family: 'rsa' }],
    [oids.ecdsaWithSha256, { digest: 'sha256', family: 'ecdsa' }],
    [oids.ecdsaWithSha384, { digest: 'sha384', family: 'ecdsa' }],
    [oids.ecdsaWithSha512, { digest: 'sha512', family: 'ecdsa' }],
  ]);

/** Those that clients make for themselves: certmonger's are 32 octets long. */
const serialOctets = 64;
const maximumCertificates = 8;
const maximumAttributes = 32;

/**
 * Opens a ContentInfo with a SignedData (RFC 5652 section 5), DER or BER as devices send it. There is exactly one SignerInfo, it has signed
 * attributes, and its certificate is in the message: without the attributes a signature over some of them would be one over a content of the same
 * octets.
 *
 * @throws SallyportError 'malformed', 'unsupported', 'too-large'; 'bad-signature' where digest or signature do not verify
 */
export function openSignedData(message: Uint8Array): SignedMessage {
  const { type, content: signed } = contentInfoOf(derFromBer(message, messageLimits));
  if (type !== oids.signedData) throw new SallyportError('unsupported', 'ContentInfo: not SignedData');
  const fields = signed.sequence('SignedData');
  fields.next().smallInteger('version');
  // What each signer digests with is said beside his signature.
  fields.next().set('digestAlgorithms');
  const content = contentOf(fields.next().sequence('encapContentInfo'));
  const certificates = certificatesOf(fields);
  fields.optional(contextConstructed(1));
  const infos = fields.next().set('signerInfos');
  const info = infos.more ? infos.next() : null;
  if (info === null || infos.more) {
    throw new SallyportError('malformed', 'SignedData: there must be exactly one signer');
  }
  fields.finish();
  return verified(info.sequence('SignerInfo'), content, certificates);
}

function contentOf(fields: DerCursor): { readonly type: string; readonly bytes: Der | null } {
  const type = fields.next().oid('eContentType');
  const explicit = fields.optional(contextConstructed(0))?.children('eContent');
  const bytes = explicit?.next().octetString('eContent') ?? null;
  explicit?.finish();
  fields.finish();
  return { type, bytes };
}

/** X.509 certificates alone (RFC 5652 section 10.2.2); others of the choice carry nothing that is used here. */
function certificatesOf(fields: DerCursor): Der[] {
  const set = fields.optional(contextConstructed(0))?.children('certificates');
  const certificates: Der[] = [];
  for (const each of set ?? []) {
    if (certificates.length === maximumCertificates) {
      throw new SallyportError('too-large', `SignedData: more than ${maximumCertificates} certificates`);
    }
    if (each.tag === tags.sequence) certificates.push(each.der);
  }
  return certificates;
}

function verified(
  fields: DerCursor,
  content: { readonly type: string; readonly bytes: Der | null },
  certificates: readonly Der[],
): SignedMessage {
  fields.next().smallInteger('version');
  const signer = signerOf(fields.next(), certificates);
  const digest = digestOf(fields.next());
  const attributesNode = fields.optional(contextConstructed(0));
  if (attributesNode === null) throw new SallyportError('malformed', 'SignerInfo: no signed attributes');
  const signatureAlgorithm = fields.next().sequence('signatureAlgorithm').next().oid('signatureAlgorithm');
  const signature = fields.next().octetString('signature');
  fields.optional(contextConstructed(1));
  fields.finish();

  const attributes = attributesOf(attributesNode);
  requireContent(attributes, content, digest);
  if (!isSigned(signatureAlgorithm, digest, signer, attributesNode, signature)) {
    throw new SallyportError(
      'bad-signature',
      "SignedData: the signature does not verify under the signer's certificate",
    );
  }
  return {
    content: content.bytes === null ? null : { type: content.type, bytes: content.bytes },
    signer,
    beside: certificates.filter((each) => Buffer.compare(each, signer.der) !== 0),
    digest,
    attributes,
  };
}

/** SignerIdentifier (RFC 5652 section 5.3): the certificate that it names, of which there must be one. */
function signerOf(identifier: DerNode, certificates: readonly Der[]): Certificate {
  const found = new Map(
    certificates
      .flatMap((each) => parsedIfAny(each))
      .filter(certificateMatcher(identifier))
      .map((each) => [each.der.toHex(), each]),
  );
  const [signer] = found.values();
  if (signer === undefined || found.size > 1) {
    throw new SallyportError(
      'malformed',
      "SignedData: there must be exactly one certificate of the signer's",
    );
  }
  return signer;
}

/** What is not the signer's may be anything. */
function parsedIfAny(der: Der): Certificate[] {
  try {
    return [parseCertificate(der, { serialOctets })];
  } catch {
    return [];
  }
}

function digestOf(identifier: DerNode): MessageDigest {
  const oid = identifier.sequence('digestAlgorithm').next().oid('digestAlgorithm');
  const digest = digests.get(oid);
  if (digest === undefined) {
    throw new SallyportError('unsupported', `SignedData: digest ${oid} is not accepted`);
  }
  return digest;
}

/** SET OF Attribute (RFC 5652 section 5.3), each once and with one value. */
function attributesOf(set: DerNode): Map<string, Der> {
  const attributes = new Map<string, Der>();
  for (const attribute of set.children('signedAttrs')) {
    const fields = attribute.sequence('Attribute');
    const oid = fields.next().oid('attribute type');
    const values = fields.next().set('attribute values');
    fields.finish();
    if (attributes.size === maximumAttributes) {
      throw new SallyportError('too-large', `SignerInfo: more than ${maximumAttributes} signed attributes`);
    }
    if (attributes.has(oid)) throw new SallyportError('malformed', `SignerInfo: attribute ${oid} twice`);
    const value = values.next();
    values.finish();
    attributes.set(oid, value.der);
  }
  return attributes;
}

/** RFC 5652 sections 5.4, 11.1 and 11.2. The digest of an absent content is that of no octets. */
function requireContent(
  attributes: ReadonlyMap<string, Der>,
  { type, bytes }: { readonly type: string; readonly bytes: Der | null },
  digest: MessageDigest,
): void {
  const value = (oid: string, name: string) => {
    const found = attributes.get(oid);
    if (found === undefined) {
      throw new SallyportError('malformed', `SignerInfo: no ${name} among the signed attributes`);
    }
    return readDer(found);
  };
  if (value(cmsOids.contentType, 'contentType').oid('contentType') !== type) {
    throw new SallyportError('malformed', 'SignerInfo: contentType is not that of the content');
  }
  const signed = value(cmsOids.messageDigest, 'messageDigest').octetString('messageDigest');
  const computed = hash(digest, bytes ?? new Uint8Array(), 'buffer');
  if (signed.length !== computed.length || !timingSafeEqual(signed, computed)) {
    throw new SallyportError('bad-signature', 'SignedData: the content is not what was signed');
  }
}

/** Attributes are signed as DER orders a SET OF (RFC 5652 section 5.4); some old clients sign them in the order in which they stand. */
function isSigned(
  algorithm: string,
  digest: MessageDigest,
  { spki }: Certificate,
  attributes: DerNode,
  signature: Uint8Array,
): boolean {
  const known = signatureAlgorithms.get(algorithm);
  if (known === undefined || (known.digest !== null && known.digest !== digest)) {
    throw new SallyportError(
      'unsupported',
      `SignedData: signature algorithm ${algorithm} with ${digest} is not accepted`,
    );
  }
  const verify = (data: Uint8Array) => verifyMessageSignature(known.family, digest, spki, data, signature);
  const asTheyStand = attributes.der.with(0, tags.set);
  if (verify(asTheyStand)) return true;
  const sorted = der.set(...[...attributes.children('signedAttrs')].map((each) => each.der));
  return Buffer.compare(sorted, asTheyStand) !== 0 && verify(sorted);
}
