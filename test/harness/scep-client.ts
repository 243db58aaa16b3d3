import assert from 'node:assert/strict';
import { constants, createHash, privateDecrypt, randomBytes, sign } from 'node:crypto';
import {
  attribute,
  type ContentCipher,
  decryptEnvelopedData,
  envelopedData,
  type KeyTransport,
  type MessageDigest,
  openSignedData,
  parseCertsOnly,
  readEnvelopedData,
  signedMessage,
} from '#cms';
import {
  assembleSigned,
  type Certificate,
  contextConstructed,
  type Der,
  der,
  encodeName,
  encodeTbsCertificate,
  type Name,
  oids,
  parseCertificate,
  parseCertificationRequest,
  readDer,
  tags,
} from '#x509';
import type { ClientKey } from './csr.ts';
import { askHttp, type ClientTls, type HttpAnswer } from './http.ts';

const attributeOids = {
  messageType: '2.16.840.1.113733.1.9.2',
  pkiStatus: '2.16.840.1.113733.1.9.3',
  failInfo: '2.16.840.1.113733.1.9.4',
  senderNonce: '2.16.840.1.113733.1.9.5',
  recipientNonce: '2.16.840.1.113733.1.9.6',
  transactionId: '2.16.840.1.113733.1.9.7',
  failInfoText: '1.3.6.1.5.5.7.24.1',
} as const;

/** A message as it is built; each part may be another than it should. */
export interface ScepMessage {
  /** Which a PKCSReq is. */
  readonly messageType?: string;
  /** What the envelope hides. */
  readonly content: Uint8Array;
  readonly key: ClientKey;
  /** Without it one of its own making, with the subject of the request. */
  readonly signer?: Certificate;
  readonly transactionId?: string;
  readonly cipher?: ContentCipher;
  readonly digest?: MessageDigest;
  readonly transport?: KeyTransport;
  /** Instead of the envelope. */
  readonly envelope?: Uint8Array;
  /** Further attributes, or the same again. */
  readonly more?: readonly Der[];
}

/** With what opens the answer. */
export interface BuiltMessage {
  readonly body: Uint8Array;
  readonly key: ClientKey;
  readonly signer: Certificate;
}

export interface ScepAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Buffer;
  /** Of the HTTP body, where it is text; of failInfoText, where it is a CertRep. */
  readonly text: string;
  /** null: no CertRep. */
  readonly pkiStatus: 'success' | 'failure' | 'pending' | null;
  readonly failInfo: string | null;
  readonly certificates: readonly Uint8Array[];
  /** What GetCRL brings. */
  readonly crl: Uint8Array | null;
  readonly senderNonce: string;
}

const statuses = { '0': 'success', '2': 'failure', '3': 'pending' } as const;

/** A client of SCEP that can do everything wrong. What it does right is the same code as the server's: real clients are in test/interop. */
export class ScepClient {
  readonly url: string;
  readonly ra: Certificate;
  readonly cas: readonly Certificate[];
  readonly #tls: ClientTls;

  private constructor(url: string, certificates: readonly Certificate[], tls: ClientTls) {
    this.url = url;
    this.#tls = tls;
    [this.ra] = certificates as [Certificate];
    this.cas = certificates.slice(1);
  }

  /** Of a server whose certificates are known, that of the RA first. */
  static to(url: string, certificates: readonly Certificate[]): ScepClient {
    return new ScepClient(url, certificates, {});
  }

  static async at(url: string, tls: ClientTls = {}): Promise<ScepClient> {
    const { type, body } = await askHttp(`${url}?operation=GetCACert`, { tls });
    assert.equal(type, 'application/x-x509-ca-ra-cert');
    const list = parseCertsOnly(new Uint8Array(body));
    return new ScepClient(
      url,
      list.map((each) => parseCertificate(each)),
      tls,
    );
  }

  async ask(message: ScepMessage): Promise<ScepAnswer> {
    return this.post(await this.build(message));
  }

  async post({ body, ...asker }: BuiltMessage, headers: Record<string, string> = {}): Promise<ScepAnswer> {
    const url = `${this.url}?operation=PKIOperation`;
    return readAnswer(await askHttp(url, { method: 'POST', body, headers, tls: this.#tls }), asker);
  }

  async get({ body, ...asker }: BuiltMessage): Promise<ScepAnswer> {
    const message = encodeURIComponent(Buffer.from(body).toString('base64'));
    const url = `${this.url}?operation=PKIOperation&message=${message}`;
    return readAnswer(await askHttp(url, { tls: this.#tls }), asker);
  }

  async build(message: ScepMessage): Promise<BuiltMessage> {
    const { messageType = '19', content, key, digest = 'sha256', more = [] } = message;
    const signer = message.signer ?? selfSigned(key, subjectOf(content));
    const envelope = message.envelope ?? this.envelope(message);
    // Whatever its characters are.
    const printable = (oid: string, value: string) =>
      attribute(oid, der.octetString(Buffer.from(value)).with(0, tags.printableString));
    const transactionId = message.transactionId ?? createHash('sha256').update(key.spki).digest('hex');
    const body = await signedMessage(
      { type: oids.data, bytes: new Uint8Array(envelope) },
      { certificate: signer, key: { sign: async (data, hash) => sign(hash, data, key.privateKey) } },
      {
        digest,
        attributes: [
          printable(attributeOids.transactionId, transactionId),
          printable(attributeOids.messageType, messageType),
          attribute(attributeOids.senderNonce, der.octetString(randomBytes(16))),
          ...more,
        ],
        certificates: [signer.der],
        signingTime: Date.now(),
      },
    );
    return { body, key, signer };
  }

  envelope(message: Pick<ScepMessage, 'content' | 'cipher' | 'transport'>): Der {
    const { content, cipher = 'aes-128-cbc', transport = 'pkcs1' } = message;
    const form = { cipher, transport, asPkcs7: true } as const;
    return envelopedData({ type: oids.data, bytes: new Uint8Array(content) }, this.ra, randomBytes, form);
  }
}

/** As clients make them: the subject is the request's, and nobody vouches for it. */
export function selfSigned(key: ClientKey, subject: Name): Certificate {
  const tbs = encodeTbsCertificate({
    serialNumber: randomBytes(8).with(0, 1).toHex(),
    signatureAlgorithm: key.algorithm,
    issuer: encodeName(subject),
    subject,
    notBefore: Date.now() - 86_400_000,
    notAfter: Date.now() + 86_400_000,
    spki: key.spki,
    extensions: [],
  });
  return parseCertificate(assembleSigned(tbs, key.algorithm, sign('sha256', tbs, key.privateKey)));
}

/** Without opening what else an answer brings; null: it is no CertRep. */
export function pkiStatusOf({ type, body }: HttpAnswer): ScepAnswer['pkiStatus'] {
  if (type !== 'application/x-pki-message') return null;
  const value = openSignedData(body).attributes.get(attributeOids.pkiStatus);
  return statuses[Buffer.from(readDer(value!).content).toString() as keyof typeof statuses];
}

/** What GetCert and GetCRL hide. */
export function issuerAndSerial(issuer: Certificate, serialNumber: string): Der {
  return der.sequence(issuer.subjectDer, der.integer(Uint8Array.fromHex(serialNumber)));
}

/** What a CertPoll hides. */
export function issuerAndSubject(issuer: Certificate, subject: Name): Der {
  return der.sequence(issuer.subjectDer, encodeName(subject));
}

function subjectOf(content: Uint8Array): Name {
  try {
    return parseCertificationRequest(content).subject;
  } catch {
    return [];
  }
}

/** What a CertRep says to who can open it. */
export async function readAnswer(answer: HttpAnswer, asker: Omit<BuiltMessage, 'body'>): Promise<ScepAnswer> {
  if (answer.type !== 'application/x-pki-message') {
    return { ...answer, pkiStatus: null, failInfo: null, certificates: [], crl: null, senderNonce: '' };
  }
  const rep = openSignedData(answer.body);
  const text = (name: keyof typeof attributeOids) => {
    const value = rep.attributes.get(attributeOids[name]);
    return value === undefined ? null : Buffer.from(readDer(value).content).toString();
  };
  assert.equal(text('messageType'), '3');
  const pkiStatus = statuses[text('pkiStatus') as keyof typeof statuses];
  // RFC 8894 sections 3.3.2.1 to 3.3.2.3: an envelope where it succeeds, and else none.
  assert.equal(rep.content!.bytes.length > 0, pkiStatus === 'success');
  const nonce = rep.attributes.get(attributeOids.senderNonce);
  return {
    ...answer,
    text: text('failInfoText') ?? '',
    pkiStatus,
    failInfo: text('failInfo'),
    ...(pkiStatus === 'success' ? await foundIn(rep.content!.bytes, asker) : { certificates: [], crl: null }),
    senderNonce: Buffer.from(readDer(nonce!).content).toString('hex'),
  };
}

async function foundIn(
  envelope: Uint8Array,
  { key: { privateKey: key }, signer }: Omit<BuiltMessage, 'body'>,
): Promise<Pick<ScepAnswer, 'certificates' | 'crl'>> {
  const plain = await decryptEnvelopedData(readEnvelopedData(envelope, [signer]), {
    decrypt: async (encrypted, transport) =>
      transport === 'pkcs1'
        ? privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encrypted)
        : privateDecrypt({ key, oaepHash: transport.slice(5) }, encrypted),
  });
  assert.ok(plain);
  const [, content] = [...readDer(plain).sequence('ContentInfo')];
  const [signed] = [...content!.children('content')];
  const crls = [...signed!.sequence('SignedData')].find(({ tag }) => tag === contextConstructed(1));
  if (crls === undefined) return { certificates: parseCertsOnly(plain), crl: null };
  return { certificates: [], crl: [...crls.children('crls')][0]!.der };
}
