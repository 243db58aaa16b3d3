import * as asn1Cms from '@peculiar/asn1-cms';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  constants,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateDecrypt,
} from 'node:crypto';

/* The recipient's side, over another's ASN.1: for tests of many messages, where a process each would take too long. */

export interface OpenedEnvelope {
  readonly envelopedData: asn1Cms.EnvelopedData;
  readonly contentEncryptionKey: Uint8Array;
  readonly encrypted: Uint8Array;
  readonly bytes: Uint8Array;
}

export function openEnvelope(message: Uint8Array, privateKey: KeyObject): OpenedEnvelope {
  const { content } = AsnConvert.parse(message, asn1Cms.ContentInfo);
  const envelopedData = AsnConvert.parse(content, asn1Cms.EnvelopedData);
  const [info] = envelopedData.recipientInfos;
  const { contentEncryptionAlgorithm, encryptedContent } = envelopedData.encryptedContentInfo;
  const contentEncryptionKey = info!.ktri
    ? transported(info!.ktri, privateKey)
    : agreed(info!.kari!, privateKey);
  const iv = AsnConvert.parse(contentEncryptionAlgorithm.parameters!, OctetString);
  const decipher = createDecipheriv('aes-256-cbc', contentEncryptionKey, new Uint8Array(iv.buffer));
  const encrypted = new Uint8Array(encryptedContent!.value!.buffer);
  const bytes = new Uint8Array(Buffer.concat([decipher.update(encrypted), decipher.final()]));
  return { envelopedData, contentEncryptionKey, encrypted, bytes };
}

function transported({ encryptedKey }: asn1Cms.KeyTransRecipientInfo, key: KeyObject): Uint8Array {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key, padding, oaepHash: 'sha256' }, new Uint8Array(encryptedKey.buffer));
}

function agreed(info: asn1Cms.KeyAgreeRecipientInfo, privateKey: KeyObject): Uint8Array {
  const hash = { '1.3.132.1.11.1': 'sha256', '1.3.132.1.11.2': 'sha384' }[
    info.keyEncryptionAlgorithm.algorithm
  ]!;
  const spki = Buffer.from(AsnConvert.serialize(info.originator.originatorKey!));
  spki[0] = 0x30;
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  // SharedInfo of RFC 5753 section 7.2, octet for octet: id-aes256-wrap, 256 bits.
  const sharedInfo = Buffer.from('3015300b060960864801650304012da206040400000100', 'hex');
  const kek = createHash(hash)
    .update(diffieHellman({ privateKey, publicKey }))
    .update(Uint8Array.of(0, 0, 0, 1))
    .update(sharedInfo)
    .digest()
    .subarray(0, 32);
  const wrapped = new Uint8Array(info.recipientEncryptedKeys[0]!.encryptedKey.buffer);
  const decipher = createDecipheriv('id-aes256-wrap', kek, Buffer.alloc(8, 0xa6));
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}
