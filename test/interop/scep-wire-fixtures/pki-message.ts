import {
  constants,
  createCipheriv,
  createPublicKey,
  hash,
  publicEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { type Certificate, der } from '#x509';
import type { ClientKey } from '../../harness/csr.ts';
import type { BuiltMessage } from '../../harness/scep-client.ts';
import { type BerForm, element, inDer } from './ber.ts';

const digestOids = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
const cipherOids = {
  'des-cbc': '1.3.14.3.2.7',
  'des-ede3-cbc': '1.2.840.113549.3.7',
  'aes-128-cbc': '2.16.840.1.101.3.4.1.2',
  'aes-256-cbc': '2.16.840.1.101.3.4.1.42',
} as const;
const rsaEncryption = der.sequence(der.oid('1.2.840.113549.1.1.1'), der.null());
const rsaesOaepSha1 = der.sequence(der.oid('1.2.840.113549.1.1.7'), der.sequence());
const data = der.oid('1.2.840.113549.1.7.1');

/** How a client writes its messages. */
export interface WireForm {
  readonly digest: keyof typeof digestOids;
  readonly cipher: keyof typeof cipherOids;
  readonly oaep?: boolean;
  readonly ber?: BerForm;
  /** As DER sorts a SET OF, or as they come. */
  readonly attributeOrder?: 'sorted' | 'as they come';
  readonly signingTime?: boolean;
}

export interface WireMessage {
  readonly messageType: '17' | '19' | '20' | '21' | '22';
  readonly transactionId: string;
  /** What the envelope hides. */
  readonly content: Uint8Array;
  readonly signer: { readonly certificate: Certificate; readonly key: ClientKey };
}

/** A pkiMessage for the RA, written here octet by octet and by nothing of the server's. */
export function pkiMessage(form: WireForm, message: WireMessage, ra: Certificate): BuiltMessage {
  const { certificate, key } = message.signer;
  const { around } = form.ber ?? inDer;
  const digestAlgorithm = der.sequence(der.oid(digestOids[form.digest]), der.null());
  const envelope = enveloped(form, message.content, ra);
  const attributes = attributesOf(form, message, envelope);
  const signature = sign(form.digest, element(0x31, attributes), key.privateKey);
  const signerInfo = der.sequence(
    der.integer(1),
    der.sequence(certificate.issuerDer, der.integer(Buffer.from(certificate.serialNumber, 'hex'))),
    digestAlgorithm,
    element(0xa0, attributes),
    rsaEncryption,
    der.octetString(signature),
  );
  const signedData = around(
    0x30,
    der.integer(1),
    der.set(digestAlgorithm),
    around(0x30, data, around(0xa0, (form.ber ?? inDer).octets(0x04, envelope))),
    element(0xa0, certificate.der),
    der.set(signerInfo),
  );
  const body = around(0x30, der.oid('1.2.840.113549.1.7.2'), around(0xa0, signedData));
  return { body, key, signer: certificate };
}

function attributesOf(form: WireForm, message: WireMessage, envelope: Uint8Array): Buffer {
  const attribute = (oid: string, value: Uint8Array) => der.sequence(der.oid(oid), der.set(value));
  const scep = (number: number, value: Uint8Array) => attribute(`2.16.840.1.113733.1.9.${number}`, value);
  const all = [
    scep(7, der.printableString(message.transactionId)),
    scep(5, der.octetString(randomBytes(16))),
    scep(2, der.printableString(message.messageType)),
    attribute('1.2.840.113549.1.9.3', data),
    ...(form.signingTime === false ? [] : [attribute('1.2.840.113549.1.9.5', der.time(Date.now()))]),
    attribute('1.2.840.113549.1.9.4', der.octetString(hash(form.digest, envelope, 'buffer'))),
  ];
  const order = form.attributeOrder ?? 'sorted';
  return Buffer.concat(order === 'sorted' ? all.toSorted((a, b) => Buffer.compare(a, b)) : all);
}

/** EnvelopedData, ContentInfo and all. */
function enveloped(form: WireForm, content: Uint8Array, ra: Certificate): Buffer {
  const { around, octets } = form.ber ?? inDer;
  const { cipher, oaep = false } = form;
  const [keyOctets, ivOctets] = (
    { 'des-cbc': [8, 8], 'des-ede3-cbc': [24, 8], 'aes-128-cbc': [16, 16], 'aes-256-cbc': [32, 16] } as const
  )[cipher];
  const [key, iv] = [randomBytes(keyOctets), randomBytes(ivOctets)];
  const padding = oaep ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING;
  const raKey = createPublicKey({ key: Buffer.from(ra.spki), format: 'der', type: 'spki' });
  const recipient = der.sequence(
    der.integer(0),
    der.sequence(ra.issuerDer, der.integer(Buffer.from(ra.serialNumber, 'hex'))),
    oaep ? rsaesOaepSha1 : rsaEncryption,
    der.octetString(publicEncrypt({ key: raKey, padding, oaepHash: 'sha1' }, key)),
  );
  const algorithm = der.sequence(der.oid(cipherOids[cipher]), der.octetString(iv));
  const hidden = around(0x30, data, algorithm, octets(0x80, encrypt(cipher, key, iv, content)));
  const envelopedData = around(0x30, der.integer(0), der.set(recipient), hidden);
  return around(0x30, der.oid('1.2.840.113549.1.7.3'), around(0xa0, envelopedData));
}

/** Single DES is what three times the same key in triple DES gives, which OpenSSL still has. */
function encrypt(cipher: WireForm['cipher'], key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Buffer {
  const [name, used] =
    cipher === 'des-cbc' ? ['des-ede3-cbc', Buffer.concat([key, key, key])] : [cipher, key];
  const encryption = createCipheriv(name, used, iv);
  return Buffer.concat([encryption.update(plain), encryption.final()]);
}
