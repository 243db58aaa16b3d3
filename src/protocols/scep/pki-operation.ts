import { certsOnly, decryptEnvelopedData, type EnvelopedMessage, readEnvelopedData } from '#cms';
import {
  type Admission,
  type Answer,
  type Authority,
  type Credential,
  type Enrollment,
  type EnrollmentRequest,
  type EnrollmentStore,
  isVouchedFor,
  isWeakAlgorithm,
  sha256Hex,
} from '#enrollment';
import { isSallyportError, type SallyportError } from '#errors';
import type { SourceLimit } from '#limits';
import { type Certificate, type CertificationRequest, type Der, inspectPublicKey, sameName } from '#x509';
import { certRep, type CertRepContent, type CertRepForm } from './cert-rep.ts';
import { lookUp, type LookUpPorts } from './look-up.ts';
import { openedRequest } from './opened-message.ts';
import { type PkiMessage, readPkiMessage } from './pki-message.ts';
import {
  MessageError,
  problemOfRefusal,
  ScepError,
  unopenable,
  unopenedTooOften,
  UnopenedError,
} from './problems.ts';
import type { RaInForce } from './ra.ts';

export interface PkiOperationPorts extends LookUpPorts {
  readonly enrollment: Enrollment;
  readonly authority: () => Authority;
  /** A request that was held, and is polled for. */
  readonly polled: EnrollmentStore['polled'];
  readonly random: (n: number) => Uint8Array;
  /** Of messages that cannot be opened. */
  readonly unopened: SourceLimit;
}

/**
 * PKIOperation (RFC 8894 section 4.3): the CertRep, DER.
 * @returns an Answer instead where there is none to be made: a message that cannot be read, or a fault of ours
 * @throws ScepError where it is no pkiMessage, which is yet to be recorded
 */
export async function pkiOperation(
  bytes: Uint8Array,
  admitted: Admission,
  ra: RaInForce,
  ports: PkiOperationPorts,
): Promise<Uint8Array | Answer> {
  const message = readMessage(bytes);
  const admission = withMessage(admitted, message, null);
  const { answer, envelope } = await answerTo(message, admission, ra, ports);
  if (answer.outcome === 'failed') return answer;
  const [newest] = ra.certificates();
  const certificate = envelope?.recipient ?? newest!;
  try {
    return await certRep(contentOf(answer, message, envelope), formOf(answer, message), {
      ra: { key: ra.key, certificate },
      random: ports.random,
      now: ports.now(),
    });
  } catch (error) {
    // What was issued is delivered when the same request comes again.
    return ports.enrollment.failed(admission, error);
  }
}

function readMessage(bytes: Uint8Array): PkiMessage {
  try {
    return readPkiMessage(bytes);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    throw new ScepError(400, error.message, { cause: error });
  }
}

/** By what the request came, but that nobody has us sign with SHA-1 who is refused. */
function formOf({ outcome }: Answer | Found, { transaction, digest }: PkiMessage): CertRepForm {
  const isRefused = outcome === 'refused' || outcome === 'malformed';
  return { transaction, digest: isRefused && isWeakAlgorithm(digest) ? 'sha256' : digest };
}

interface Answered {
  readonly answer: Answer | Found;
  /** null: it was not read. */
  readonly envelope: EnvelopedMessage | null;
}

/** Of what is public. */
interface Found {
  readonly outcome: 'found';
  readonly bytes: Der;
}

async function answerTo(
  message: PkiMessage,
  admission: Admission,
  ra: RaInForce,
  ports: PkiOperationPorts,
): Promise<Answered> {
  const { enrollment } = ports;
  const authority = ports.authority();
  let envelope: EnvelopedMessage | null = null;
  let read = admission;
  try {
    demandAnswerable(message);
    envelope = await readEnvelope(message, ra);
    read = withMessage(admission, message, envelope);
    const sealed = envelope;
    if (message.type === 'GetCert' || message.type === 'GetCRL') {
      const bytes = await opening(read, ports, () => lookUp(message, sealed, ra, authority, ports));
      return { answer: (await enrollment.answered(read)) ?? { outcome: 'found', bytes }, envelope };
    }
    const asked =
      message.type === 'CertPoll'
        ? await polledRequest(message, read, ports)
        : await opening(read, ports, () => newRequest(message, sealed, ra, authority));
    const request = {
      ...asked,
      admission: read,
      keygen: false,
      transactionID: message.transaction.id,
      channelBindings: null,
    };
    return { answer: await enrollment.enroll(request), envelope };
  } catch (error) {
    const refused = error instanceof MessageError;
    return {
      answer: await (refused ? enrollment.malformed(read, error) : enrollment.failed(read, error)),
      envelope,
    };
  }
}

/** Counted under its source before it is opened, and given back where it could be: so many at once are no more than so many one after the other. */
async function opening<Opened>(
  { source: { address } }: Admission,
  { unopened, now }: PkiOperationPorts,
  open: () => Promise<Opened>,
): Promise<Opened> {
  if (!unopened.take(address, now())) throw unopenedTooOften();
  let couldNot = false;
  try {
    return await open();
  } catch (error) {
    couldNot = error instanceof UnopenedError;
    throw error;
  } finally {
    if (!couldNot) unopened.giveBack(address);
  }
}

/** Before anything is decrypted: what is answered for the key that signed must be encrypted to it. */
function demandAnswerable({ signer }: PkiMessage): void {
  const { algorithm, weaknesses } = inspectPublicKey(signer.spki);
  if (!algorithm.startsWith('rsa-')) {
    throw new MessageError(
      { failInfo: 'badAlg', words: 'SCEP needs an RSA key: answers are encrypted to it.' },
      'the key that signed is not RSA, and no answer can be encrypted to it',
    );
  }
  if (weaknesses.length > 0) {
    throw new MessageError(
      { failInfo: 'badAlg', words: 'The key that signed is weak: make a new one.' },
      `the key that signed is weak: ${weaknesses.join(', ')}`,
    );
  }
}

async function readEnvelope({ envelope }: PkiMessage, ra: RaInForce): Promise<EnvelopedMessage> {
  try {
    return readEnvelopedData(envelope, ra.certificates());
  } catch {
    // Another node may have renewed the certificate a moment ago, and given it out.
  }
  try {
    return readEnvelopedData(envelope, await ra.readAgain());
  } catch (error) {
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    throw new MessageError(problemOfEnvelope(error), error.message, { cause: error });
  }
}

/** Nothing of it depends on a key. */
function problemOfEnvelope({ code }: SallyportError): MessageError['problem'] {
  return code === 'unsupported'
    ? {
        failInfo: 'badAlg',
        words:
          'The message is not encrypted for the RA here, or by means that are not accepted: ask for its certificate again.',
      }
    : { failInfo: 'badMessageCheck', words: 'The envelope of the message cannot be read.' };
}

type Asked = Pick<EnrollmentRequest, 'credential' | 'certificationRequest' | 'possessed'>;

async function newRequest(
  message: PkiMessage,
  envelope: EnvelopedMessage,
  ra: RaInForce,
  authority: Authority,
): Promise<Asked> {
  const request = openedRequest(await decryptEnvelopedData(envelope, ra.key));
  demandOwnEnvelope(message, request);
  return { credential: credentialOf(message, request, authority), certificationRequest: request.der };
}

/**
 * CertPoll (RFC 8894 section 3.3.3) of the key that signed the request, in its transaction: these say which it is, and what the message hides is
 * never decrypted. A poll that finds none is refused, and the client asks anew: its approval is for device and key.
 */
async function polledRequest(
  { transaction, signer, beside }: PkiMessage,
  { source }: Admission,
  { polled }: PkiOperationPorts,
): Promise<Asked> {
  const found = await polled({
    signer: sha256Hex(signer.spki),
    transaction: sha256Hex(Buffer.from(transaction.id)),
    template: source.template ?? '',
  });
  if (found === null) {
    throw new MessageError(
      { failInfo: 'badRequest', words: 'No request waits here under this transactionID: ask anew.' },
      'no request of this key waits under this transactionID',
    );
  }
  const { secretMac, challenge, certificationRequest } = found;
  const credential: Credential =
    secretMac !== null
      ? { kind: 'reserved', secretMac }
      : challenge !== null
        ? { kind: 'polled', challenge }
        : { kind: 'certificate', certificate: signer.der, sent: beside };
  return { credential, certificationRequest, possessed: true };
}

/** Who signs with a key of no standing asks for that key: the envelope is then no other's, whose challengePassword would be used up by this one. */
function demandOwnEnvelope({ signer }: PkiMessage, request: CertificationRequest): void {
  if (!isSelfIssued(signer) || Buffer.compare(signer.spki, request.spki) === 0) return;
  throw unopenable('a self-signed certificate of another key signed it than the one it asks for');
}

function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return sameName(subject, issuer);
}

/**
 * Decided by who signed, and never by the messageType (RFC 8894 section 2.3 has renewals in a PKCSReq): with a certificate that somebody vouches for
 * it is this certificate's request, whatever challengePassword it holds, else the challengePassword's.
 */
function credentialOf(
  { signer, beside }: PkiMessage,
  { challengePassword }: CertificationRequest,
  authority: Authority,
): Credential | null {
  const certificate: Credential = { kind: 'certificate', certificate: signer.der, sent: beside };
  if (isVouchedFor(signer, beside, authority)) return certificate;
  if (challengePassword !== null && challengePassword !== '') {
    return { kind: 'secret', userName: '', secret: challengePassword };
  }
  return isSelfIssued(signer) ? null : certificate;
}

function withMessage(
  admission: Admission,
  { type, transaction, signer, digest }: PkiMessage,
  envelope: EnvelopedMessage | null,
): Admission {
  const message = {
    transaction: sha256Hex(Buffer.from(transaction.id)),
    signer: sha256Hex(signer.spki),
    digest,
    cipher: envelope?.cipher ?? null,
    keyTransport: envelope?.transport ?? null,
  };
  return { ...admission, source: { ...admission.source, operation: type, message } };
}

function contentOf(
  answer: Exclude<Answer, { outcome: 'failed' }> | Found,
  { signer }: PkiMessage,
  envelope: EnvelopedMessage | null,
): CertRepContent {
  const success = (bytes: Der): CertRepContent => ({
    status: 'success',
    bytes,
    envelope: { ...envelope!, recipient: signer },
  });
  switch (answer.outcome) {
    case 'found':
      return success(answer.bytes);
    case 'issued':
    case 'redelivered':
      return success(certsOnly([answer.certificate]));
    case 'held':
      return { status: 'pending' };
    case 'refused':
      return failure(problemOfRefusal(answer), answer.id);
    case 'malformed':
      return failure(problemOfMalformed(answer.error), answer.id);
  }
}

/** What enrollment itself finds in a request that parses is no secret of it. */
function problemOfMalformed(error: SallyportError): MessageError['problem'] {
  return error instanceof MessageError
    ? error.problem
    : { failInfo: 'badRequest', words: 'The certification request cannot be read.' };
}

function failure({ failInfo, words }: MessageError['problem'], id: string): CertRepContent {
  return { status: 'failure', failInfo, words: `${words} Support code ${id}.` };
}
