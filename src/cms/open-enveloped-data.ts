import { SallyportError } from '#errors';
import {
  type Certificate,
  contextConstructed,
  contextPrimitive,
  type DerCursor,
  type DerNode,
  derFromBer,
  oids,
} from '#x509';
import { createDecipheriv } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { type ContentCipher, cipherOf, ciphers } from './content-cipher.ts';
import type { KeyTransport } from './key-transport.ts';
import { contentInfoOf, messageLimits } from './content-info.ts';
import { certificateMatcher } from './certificate-identifier.ts';

/** A message for one of our keys, not yet decrypted. */
export interface EnvelopedMessage {
  /** The certificate of ours that it was encrypted to. */
  readonly recipient: Certificate;
  readonly contentType: string;
  readonly cipher: ContentCipher;
  readonly transport: KeyTransport;
  readonly encryptedKey: Uint8Array;
  readonly iv: Uint8Array;
  readonly encrypted: Uint8Array;
}

/** An RSA private key that decrypts, with implicit rejection: what was not encrypted for it comes out as other octets, never as an error. */
export interface TransportKey {
  decrypt(encryptedKey: Uint8Array, transport: KeyTransport): Promise<Uint8Array>;
}

const maximumRecipients = 8;

/**
 * Reads a ContentInfo with an EnvelopedData (RFC 5652 section 6), DER or BER, of which exactly one RecipientInfo is for one of the certificates, all of one key. Nothing in
 * here depends on a key, so that its errors tell no secret.
 * @throws SallyportError 'malformed', 'unsupported' or 'too-large'
 */
export function readEnvelopedData(message: Uint8Array, recipients: readonly Certificate[]): EnvelopedMessage {
  const { type, content } = contentInfoOf(derFromBer(message, messageLimits));
  if (type !== cmsOids.envelopedData) {
    throw new SallyportError('unsupported', 'ContentInfo: not EnvelopedData');
  }
  const fields = content.sequence('EnvelopedData');
  fields.next().smallInteger('version');
  fields.optional(contextConstructed(0));
  const transported = transportedKey(fields.next().set('recipientInfos'), recipients);
  const encrypted = encryptedContentOf(fields.next().sequence('encryptedContentInfo'));
  fields.optional(contextConstructed(1));
  fields.finish();
  return { ...transported, ...encrypted };
}

/**
 * Decrypts it. Where that gives no padding, all of it is returned, to fail where it is read: nobody is to learn whether the key, the padding or the content
 * was wrong. A key of another length than the cipher's is cut or filled up, so that each message takes the same steps.
 */
export async function decryptEnvelopedData(
  { cipher, transport, encryptedKey, iv, encrypted }: EnvelopedMessage,
  key: TransportKey,
): Promise<Uint8Array> {
  const blockOctets = ciphers[cipher].iv;
  const contentKey = Buffer.alloc(ciphers[cipher].key);
  const decrypted = await key.decrypt(encryptedKey, transport);
  contentKey.set(decrypted.subarray(0, contentKey.length));
  decrypted.fill(0);
  const decipher = createDecipheriv(cipher, contentKey, iv).setAutoPadding(false);
  contentKey.fill(0);
  return withoutPadding(Buffer.concat([decipher.update(encrypted), decipher.final()]), blockOctets);
}

/** RFC 5652 section 6.3, looking at as many octets whatever they are. */
function withoutPadding(plain: Buffer, blockOctets: number): Uint8Array {
  const length = plain.at(-1)!;
  let wrong = Number(length === 0) | Number(length > blockOctets);
  for (let back = 1; back <= blockOctets; back += 1) {
    const isPadding = Number(back <= length);
    wrong |= isPadding & Number(plain.at(-back) !== length);
  }
  return plain.subarray(0, plain.length - (wrong === 0 ? length : 0));
}

function transportedKey(
  infos: DerCursor,
  recipients: readonly Certificate[],
): Pick<EnvelopedMessage, 'recipient' | 'transport' | 'encryptedKey'> {
  const found: Pick<EnvelopedMessage, 'recipient' | 'transport' | 'encryptedKey'>[] = [];
  let seen = 0;
  for (const info of infos) {
    seen += 1;
    if (seen > maximumRecipients) {
      throw new SallyportError('too-large', `EnvelopedData: more than ${maximumRecipients} recipients`);
    }
    // KeyTransRecipientInfo is the one choice without a tag of its own; none of the others can be for an RSA key.
    if ((info.tag & 0xc0) !== 0) continue;
    const fields = info.sequence('KeyTransRecipientInfo');
    fields.next().smallInteger('version');
    const isFor = certificateMatcher(fields.next());
    const transport = keyTransportOf(fields.next());
    const encryptedKey = fields.next().octetString('encryptedKey');
    fields.finish();
    const recipient = recipients.find(isFor);
    if (recipient !== undefined) found.push({ recipient, transport, encryptedKey });
  }
  const [transported] = found;
  if (transported === undefined || found.length > 1) {
    throw new SallyportError(
      'unsupported',
      'EnvelopedData: there must be exactly one RecipientInfo for our certificate',
    );
  }
  return transported;
}

function keyTransportOf(identifier: DerNode): KeyTransport {
  const fields = identifier.sequence('keyEncryptionAlgorithm');
  const oid = fields.next().oid('keyEncryptionAlgorithm');
  if (oid === oids.rsaEncryption) return 'pkcs1';
  if (oid === cmsOids.rsaesOaep) return oaepOf(fields.more ? fields.next() : null);
  throw new SallyportError('unsupported', `EnvelopedData: key encryption ${oid} is not accepted`);
}

/** RSAES-OAEP-params (RFC 4055 section 4.1): both hashes alike, and no label. */
function oaepOf(parameters: DerNode | null): KeyTransport {
  const fields = parameters?.sequence('RSAES-OAEP-params');
  const hashOf = (field: DerNode | undefined) => field?.sequence('hash').next().oid('hash') ?? oids.sha1;
  const explicit = (n: number) => {
    const inside = fields?.optional(contextConstructed(n))?.children('RSAES-OAEP-params');
    return inside?.next();
  };
  const hash = hashOf(explicit(0));
  const maskGeneration = explicit(1)?.sequence('maskGenAlgorithm');
  const isMgf1 = maskGeneration === undefined || maskGeneration.next().oid('maskGenAlgorithm') === oids.mgf1;
  const maskHash = hashOf(maskGeneration?.next());
  const known = { [oids.sha1]: 'oaep-sha1', [oids.sha256]: 'oaep-sha256' } as const;
  const transport = (known as Readonly<Record<string, KeyTransport>>)[hash];
  if (transport === undefined || !isMgf1 || maskHash !== hash || fields?.more === true) {
    throw new SallyportError(
      'unsupported',
      'EnvelopedData: OAEP is accepted with SHA-1 or SHA-256 throughout, and without a label',
    );
  }
  return transport;
}

function encryptedContentOf(
  fields: DerCursor,
): Pick<EnvelopedMessage, 'contentType' | 'cipher' | 'iv' | 'encrypted'> {
  const contentType = fields.next().oid('contentType');
  const algorithm = fields.next().sequence('contentEncryptionAlgorithm');
  const oid = algorithm.next().oid('contentEncryptionAlgorithm');
  const cipher = cipherOf(oid);
  if (cipher === undefined) {
    throw new SallyportError('unsupported', `EnvelopedData: cipher ${oid} is not accepted`);
  }
  const iv = algorithm.next().octetString('iv');
  algorithm.finish();
  if (iv.length !== ciphers[cipher].iv) {
    throw new SallyportError('malformed', `EnvelopedData: an initialization vector of ${iv.length} octets`);
  }
  const encrypted = octetsOf(fields.next());
  if (encrypted.length === 0 || encrypted.length % ciphers[cipher].iv !== 0) {
    throw new SallyportError('malformed', 'EnvelopedData: the encrypted content is not of whole blocks');
  }
  fields.finish();
  return { contentType, cipher, iv, encrypted };
}

/** [0] IMPLICIT OCTET STRING, in one piece or in several. */
function octetsOf(node: DerNode): Uint8Array {
  if (node.tag !== contextConstructed(0)) return node.octetString('encryptedContent', contextPrimitive(0));
  const pieces = [...node.children('encryptedContent')];
  return Buffer.concat(pieces.map((piece) => piece.octetString('encryptedContent')));
}
