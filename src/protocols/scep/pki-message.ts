import { type MessageDigest, openSignedData } from '#cms';
import { SallyportError } from '#errors';
import { type Certificate, type Der, oids, readDer, tags } from '#x509';
import { scepOids } from './scep-oids.ts';

/** RFC 8894 section 3.2.1.2. CertRep is ours, and no other number means anything: 18 let strangers in elsewhere (CVE-2026-30836). */
const messageTypes = {
  '17': 'RenewalReq',
  '19': 'PKCSReq',
  '20': 'CertPoll',
  '21': 'GetCert',
  '22': 'GetCRL',
} as const;
export type MessageType = (typeof messageTypes)[keyof typeof messageTypes];

/** What the answer repeats, so that the client knows whose it is (RFC 8894 section 3.2.1). */
export interface Transaction {
  readonly id: string;
  /** As it came: clients compare it octet for octet. */
  readonly idDer: Der;
  readonly senderNonce: Uint8Array;
}

/** pkiMessage (RFC 8894 section 3.2), its signature verified and its envelope closed. */
export interface PkiMessage {
  readonly type: MessageType;
  readonly transaction: Transaction;
  /** Whose key signed, and to whom the answer is encrypted. Self-signed, expired or anybody's until it has been judged. */
  readonly signer: Certificate;
  readonly beside: readonly Der[];
  readonly digest: MessageDigest;
  /** ContentInfo with an EnvelopedData, DER or BER. */
  readonly envelope: Uint8Array;
}

/** Characters: a digest in any form that clients give it, and no text of their own. */
const longestTransactionId = 256;
/** Octets; RFC 8894 section 3.2.1.5 says 16, and there are clients with more. */
const longestNonce = 64;

/** One of several types that clients write their digests in. */
const textTags: ReadonlySet<number> = new Set([tags.printableString, tags.ia5String, tags.utf8String]);

/**
 * @throws SallyportError 'malformed', 'unsupported' or 'too-large'; 'bad-signature' where it does not verify, of which RFC 8894 section 3.2.1.4.1
 * says badMessageCheck
 */
export function readPkiMessage(bytes: Uint8Array): PkiMessage {
  const { content, signer, beside, digest, attributes } = openSignedData(bytes);
  if (content === null || content.type !== oids.data) {
    throw new SallyportError('malformed', 'pkiMessage: the content must be data, and there');
  }
  const value = (name: keyof typeof scepOids) => {
    const found = attributes.get(scepOids[name]);
    if (found === undefined) throw new SallyportError('malformed', `pkiMessage: no ${name}`);
    return found;
  };
  return {
    type: messageTypeOf(value('messageType')),
    transaction: {
      ...transactionIdOf(value('transactionId')),
      senderNonce: nonceOf(value('senderNonce')),
    },
    signer,
    beside,
    digest,
    envelope: content.bytes,
  };
}

function messageTypeOf(value: Der): MessageType {
  const text = textOf(value, 'messageType');
  if (!Object.hasOwn(messageTypes, text)) {
    throw new SallyportError('unsupported', 'pkiMessage: this messageType is not one of a request');
  }
  return messageTypes[text as keyof typeof messageTypes];
}

function transactionIdOf(idDer: Der): { id: string; idDer: Der } {
  const id = textOf(idDer, 'transactionID');
  if (id.length === 0 || id.length > longestTransactionId) {
    throw new SallyportError(
      'malformed',
      `pkiMessage: a transactionID has 1 to ${longestTransactionId} characters`,
    );
  }
  return { id, idDer };
}

function nonceOf(value: Der): Uint8Array {
  const nonce = readDer(value).octetString('senderNonce');
  if (nonce.length === 0 || nonce.length > longestNonce) {
    throw new SallyportError('malformed', `pkiMessage: a senderNonce has 1 to ${longestNonce} octets`);
  }
  return nonce;
}

/** PrintableString (RFC 8894 section 3.2.1), or what some clients write for it; of printable ASCII, so that nobody writes lines into a log. */
function textOf(value: Der, what: string): string {
  const node = readDer(value);
  if (!textTags.has(node.tag)) {
    throw new SallyportError('malformed', `pkiMessage: ${what} is no PrintableString`);
  }
  const text = Buffer.from(node.content).toString('latin1');
  if (!/^[\x20-\x7e]*$/.test(text)) {
    throw new SallyportError('malformed', `pkiMessage: ${what} has characters that none has`);
  }
  return text;
}
