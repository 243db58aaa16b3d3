import { createHash } from 'node:crypto';
import {
  attribute,
  decryptEnvelopedData,
  envelopedData,
  openSignedData,
  parseCertsOnly,
  readEnvelopedData,
  type SignedMessage,
  signedMessage,
} from '#cms';
import { SallyportError } from '#errors';
import { scepOids } from '#scep';
import {
  assembleSigned,
  type Certificate,
  type Der,
  der,
  encodeName,
  encodeTbsCertificate,
  equalBytes,
  findCertificationPath,
  type Name,
  oids,
  parseCertificate,
  readDer,
} from '#x509';
import { call, refusal, retryAfterSeconds, type Tls } from './call.ts';
import type { Outcome } from './patience.ts';
import type { Tpm, TpmKey } from './tpm.ts';

/** A template of SCEP: https://ca.example.org/scep/device. */
export interface ScepServer {
  readonly url: string;
  readonly tls: Tls;
  readonly ra: Certificate;
}

/** Whose key signs the messages, and opens the answers. */
export interface ScepSigner {
  readonly key: TpmKey;
  readonly certificate: Certificate;
}

export interface ScepPorts {
  readonly tpm: Tpm;
  readonly now: () => number;
  readonly random: (n: number) => Uint8Array;
}

const pkcsReq = '19';
/** No CertRep says when to ask again. */
const pollSeconds = 30;
const day = 86_400_000;

/** GetCACert (RFC 8894 section 4.2), of which nothing is believed that those who are trusted have not issued. */
export async function scepServer(
  url: string,
  tls: Tls,
  trusted: readonly Certificate[],
): Promise<ScepServer> {
  const reply = await call(`${url}?operation=GetCACert`, tls);
  if (reply.status !== 200) throw refusal(reply);
  const [ra, ...sent] = parseCertsOnly(new Uint8Array(reply.body)).map((each) => parseCertificate(each));
  if (findCertificationPath(ra!, sent, trusted) === null) {
    throw new SallyportError(
      'bad-signature',
      `the RA of ${url} has no certificate of those whom --trust names`,
    );
  }
  return { url, tls, ra: ra! };
}

/** As RFC 8894 section 2.3 has it for who has no certificate yet: of the key that it asks for. */
export async function selfSigned(
  key: TpmKey,
  subject: Name,
  { tpm, now, random }: ScepPorts,
): Promise<ScepSigner> {
  const tbs = encodeTbsCertificate({
    serialNumber: random(8).with(0, 1).toHex(),
    signatureAlgorithm: key.algorithm,
    issuer: encodeName(subject),
    subject,
    notBefore: now() - day,
    notAfter: now() + day,
    spki: key.spki,
    extensions: [],
  });
  return { key, certificate: parseCertificate(assembleSigned(tbs, key.algorithm, await tpm.sign(key, tbs))) };
}

/** PKCSReq (RFC 8894 section 3.3.1). */
export async function enrollByScep(
  { url, tls, ra }: ScepServer,
  { spki, der: request }: { readonly spki: Der; readonly der: Der },
  signer: ScepSigner,
  ports: ScepPorts,
): Promise<Outcome> {
  const { tpm, now, random } = ports;
  const { certificate } = signer;
  const transactionID = createHash('sha256').update(spki).digest('hex');
  const senderNonce = random(16);
  const form = { cipher: 'aes-128-cbc', transport: 'pkcs1', asPkcs7: true } as const;
  const message = await signedMessage(
    { type: oids.data, bytes: envelopedData({ type: oids.data, bytes: request }, ra, random, form) },
    { certificate, key: { sign: async (data) => tpm.sign(signer.key, data) } },
    {
      digest: 'sha256',
      attributes: [
        attribute(scepOids.transactionId, der.printableString(transactionID)),
        attribute(scepOids.messageType, der.printableString(pkcsReq)),
        attribute(scepOids.senderNonce, der.octetString(senderNonce)),
      ],
      certificates: [certificate.der],
      signingTime: now(),
    },
  );
  const reply = await call(`${url}?operation=PKIOperation`, tls, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-pki-message' },
    body: message,
  });
  const retry = retryAfterSeconds(reply);
  if (retry !== null) return { retryAfterSeconds: retry };
  if (reply.status !== 200) throw refusal(reply);
  const rep = openSignedData(new Uint8Array(reply.body));
  requireOwnAnswer(rep, ra, senderNonce);
  switch (textOf(rep, 'pkiStatus')) {
    case '0':
      return { certificates: await certificatesOf(rep, signer, tpm) };
    case '3':
      return { retryAfterSeconds: pollSeconds };
    default:
      throw new SallyportError(
        'forbidden',
        `the server refused it: ${textOf(rep, 'failInfoText') ?? 'it says no more'}`,
      );
  }
}

/** RFC 8894 section 3.2.1.5: the nonce that was sent, signed by the RA. */
function requireOwnAnswer(
  { signer, attributes }: SignedMessage,
  ra: Certificate,
  senderNonce: Uint8Array,
): void {
  const recipientNonce = attributes.get(scepOids.recipientNonce);
  const isOwn = recipientNonce !== undefined && equalBytes(recipientNonce, der.octetString(senderNonce));
  if (isOwn && equalBytes(signer.der, ra.der)) return;
  throw new SallyportError('bad-signature', 'the answer is not of the RA, or to another message');
}

async function certificatesOf(
  { content }: SignedMessage,
  { certificate, key }: ScepSigner,
  tpm: Tpm,
): Promise<readonly Der[]> {
  const envelope = readEnvelopedData(content?.bytes ?? new Uint8Array(), [certificate]);
  const plain = await decryptEnvelopedData(envelope, { decrypt: (encrypted) => tpm.decrypt(key, encrypted) });
  return parseCertsOnly(plain);
}

function textOf({ attributes }: SignedMessage, name: keyof typeof scepOids): string | null {
  const value = attributes.get(scepOids[name]);
  return value === undefined ? null : Buffer.from(readDer(value).content).toString();
}
