import {
  attribute,
  type ContentCipher,
  envelopedData,
  type KeyTransport,
  type MessageDigest,
  type MessageSigner,
  signedMessage,
} from '#cms';
import { type Certificate, type Der, der, oids } from '#x509';
import type { Transaction } from './pki-message.ts';
import { scepOids } from './scep-oids.ts';

/** RFC 8894 section 3.2.1.4.1. */
const failInfos = {
  badAlg: '0',
  badMessageCheck: '1',
  badRequest: '2',
  badTime: '3',
  badCertId: '4',
} as const;
export type FailInfo = keyof typeof failInfos;

/** What a CertRep says (RFC 8894 section 3.3.2). */
export type CertRepContent =
  /** `bytes`: degenerate SignedData, ContentInfo and all. */
  | { readonly status: 'success'; readonly bytes: Der; readonly envelope: CertRepEnvelope }
  | { readonly status: 'pending' }
  | { readonly status: 'failure'; readonly failInfo: FailInfo; readonly words: string };

const statuses = { success: '0', failure: '2', pending: '3' } as const;

/** By what the request came: the answer goes back the same way, which its sender is known to understand. */
export interface CertRepForm {
  readonly transaction: Transaction;
  readonly digest: MessageDigest;
}

export interface CertRepEnvelope {
  readonly cipher: ContentCipher;
  readonly transport: KeyTransport;
  /** The signer of the request. */
  readonly recipient: Certificate;
}

export interface CertRepPorts {
  readonly ra: MessageSigner;
  readonly random: (octets: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const nonceOctets = 16;

/**
 * CertRep, signed by the RA: with an envelope where it succeeds, and where it does not with an empty content (RFC 8894 sections 3.3.2.1 to 3.3.2.3):
 * clients that read it as PKCS #7 verify none that is absent (certmonger: "no content"). Its senderNonce is new each time.
 */
export async function certRep(
  content: CertRepContent,
  form: CertRepForm,
  { ra, random, now }: CertRepPorts,
): Promise<Der> {
  const { transaction, digest } = form;
  const printable = (oid: string, value: string) => attribute(oid, der.printableString(value));
  const attributes = [
    printable(scepOids.messageType, '3'),
    printable(scepOids.pkiStatus, statuses[content.status]),
    attribute(scepOids.transactionId, transaction.idDer),
    attribute(scepOids.recipientNonce, der.octetString(transaction.senderNonce)),
    attribute(scepOids.senderNonce, der.octetString(random(nonceOctets))),
    ...(content.status === 'failure'
      ? [
          printable(scepOids.failInfo, failInfos[content.failInfo]),
          attribute(scepOids.failInfoText, der.utf8String(content.words)),
        ]
      : []),
  ];
  const bytes = content.status === 'success' ? enveloped(content, random) : new Uint8Array();
  return signedMessage({ type: oids.data, bytes }, ra, {
    digest,
    attributes,
    certificates: [ra.certificate.der],
    signingTime: now,
  });
}

function enveloped(
  { bytes, envelope }: Extract<CertRepContent, { status: 'success' }>,
  random: CertRepPorts['random'],
): Der {
  const { recipient, cipher, transport } = envelope;
  const content = { type: oids.data, bytes };
  return envelopedData(content, recipient, random, { cipher, transport, asPkcs7: true });
}
