import {
  type Answer,
  type EnrollmentRequest,
  isDeviceIdentifier,
  named,
  SeenEvidence,
  sha256Hex,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { decodeBase64Url } from '#jose';
import { parseCertificate, parseCertificationRequest } from '#x509';
import { servedTemplates } from './directory.ts';
import { accountOf, type About, type Message, payloadOf } from './message.ts';
import { orderStatus } from './order-state.ts';
import { AcmeError, malformed, notHere, problemOfRefusal } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import { certIDOf } from './renewal-info.ts';
import type { StoredAccount, StoredOrder } from './store.ts';
import { authorizationUrl, certificateUrl, finalizeUrl, orderUrl } from './urls.ts';

const pollSeconds = 2;

/** RFC 8555 section 7.1.3. */
export async function orderReply(
  order: StoredOrder,
  exchange: Exchange,
  ports: Pick<AcmePorts, 'store' | 'now'>,
  { status = 200, retryAfterSeconds = pollSeconds }: { status?: number; retryAfterSeconds?: number } = {},
): Promise<Reply> {
  const state = orderStatus(order, ports.now());
  const replaces = await replacesOf(order, ports);
  return {
    status,
    headers: {
      Location: orderUrl(exchange, order.id),
      ...(state === 'processing' ? { 'Retry-After': String(retryAfterSeconds) } : {}),
    },
    body: {
      status: state,
      expires: new Date(order.expiresAt).toISOString(),
      profile: order.template,
      identifiers: order.identifiers,
      ...(order.notBefore === null ? {} : { notBefore: new Date(order.notBefore).toISOString() }),
      ...(order.notAfter === null ? {} : { notAfter: new Date(order.notAfter).toISOString() }),
      ...(replaces === null ? {} : { replaces }),
      ...(order.error === null ? {} : { error: order.error }),
      authorizations: order.authorizations.map(({ id }) => authorizationUrl(exchange, id)),
      finalize: finalizeUrl(exchange, order.id),
      ...(state === 'valid' ? { certificate: certificateUrl(exchange, order.certificate!) } : {}),
    },
  };
}

/** RFC 9773 section 5: the server "MUST reflect that field in the response and in subsequent requests for the corresponding Order object". */
async function replacesOf(
  { replaces }: StoredOrder,
  { store, now }: Pick<AcmePorts, 'store' | 'now'>,
): Promise<string | null> {
  const found = replaces === null ? null : await store.certificate({ sha256: replaces, now: now() });
  return found === null ? null : certIDOf(parseCertificate(found.der));
}

/** An order as it stands, and its finalization (RFC 8555 section 7.4). */
export async function order(
  message: About<StoredOrder | null>,
  exchange: Exchange,
  ports: AcmePorts,
): Promise<Reply> {
  const own = accountOf(message);
  const [id = '', act] = exchange.parts;
  const { found } = message;
  if (found === null || (act !== undefined && act !== 'finalize')) throw notHere();
  if (found.account !== own.id) {
    throw new AcmeError('unauthorized', `order ${id} is of account ${found.account}, not ${own.id}`, {
      told: 'this is not your order',
    });
  }
  if (act === 'finalize') return finalize(message, found, own, exchange, ports);
  if (message.payload !== null) throw malformed('an order takes POST-as-GET');
  return orderStatus(found, ports.now()) === 'processing'
    ? goOn(found, own, exchange, ports)
    : orderReply(found, exchange, ports);
}

async function finalize(
  message: Message,
  found: StoredOrder,
  own: StoredAccount,
  exchange: Exchange,
  ports: AcmePorts,
): Promise<Reply> {
  const payload = payloadOf(message);
  const status = orderStatus(found, ports.now());
  // A client that asks again, because the answer was lost on the way, is told how it stands.
  if (status === 'valid' || status === 'processing') return orderReply(found, exchange, ports);
  if (status !== 'ready') {
    throw new AcmeError('orderNotReady', `order ${found.id} is ${status}`, {
      told: `the order is ${status}`,
    });
  }
  const { templates, references } = servedTemplates(exchange, ports);
  if (
    !templates.includes(found.template) ||
    named(references.templates, found.template)?.acme === undefined
  ) {
    // draft-ietf-acme-profiles section 4: "an Order whose profile the CA is no longer willing to issue under".
    throw new AcmeError('invalidProfile', `profile ${found.template} is not offered here any more`);
  }
  const { der, spki } = csrOf(payload['csr']);
  const [isOfAccount, predecessor] = await Promise.all([
    ports.store.isAccountKey(sha256Hex(spki)),
    predecessorOf(found, own, ports),
  ]);
  // RFC 8555 section 11.1: servers "MUST verify that a CSR submitted in a finalize request does not contain a public key for any known account key pair".
  if (isOfAccount) throw new AcmeError('badCSR', 'the certification request has the key of an account');
  return decide(der, predecessor, found, own, exchange, ports);
}

function csrOf(csr: unknown): { readonly der: Uint8Array; readonly spki: Uint8Array } {
  if (typeof csr !== 'string') throw malformed('csr must be a string');
  try {
    const der = decodeBase64Url(csr, 'csr');
    return { der, spki: parseCertificationRequest(der).spki };
  } catch (cause) {
    if (!isSallyportError(cause, 'malformed', 'unsupported', 'too-large')) throw cause;
    throw new AcmeError('badCSR', cause.message, { cause });
  }
}

/** The certificate that the order renews. */
function predecessorOf(
  { account, template, names, identifiers, certificate }: StoredOrder,
  own: StoredAccount,
  { store, now }: Pick<AcmePorts, 'store' | 'now'>,
): Promise<Uint8Array | null> {
  const current = { template, without: certificate, now: now() };
  // A device is one, however it is ordered.
  return identifiers.some(isDeviceIdentifier) && own.device !== null
    ? store.predecessor({ device: own.device, ...current })
    : store.predecessor({ account, names, ...current });
}

/** An order that is held or kept back is decided anew by everything that counts now, with the request that came. */
async function goOn(
  found: StoredOrder,
  own: StoredAccount,
  exchange: Exchange,
  ports: AcmePorts,
): Promise<Reply> {
  const [request, predecessor] = await Promise.all([
    ports.store.heldRequest(found.id),
    predecessorOf(found, own, ports),
  ]);
  if (request === null) return orderReply(found, exchange, ports);
  return decide(request, predecessor, found, own, exchange, ports, { possessed: true });
}

async function decide(
  certificationRequest: Uint8Array,
  predecessor: Uint8Array | null,
  found: StoredOrder,
  own: StoredAccount,
  exchange: Exchange,
  ports: AcmePorts,
  held: Pick<EnrollmentRequest, 'possessed'> = {},
): Promise<Reply> {
  const { admission } = exchange;
  const evidence = found.authorizations.map((each) => each.evidence).find((each) => each !== null) ?? null;
  const answer = await ports.enrollment.enroll({
    admission: { ...admission, source: { ...admission.source, template: found.template } },
    credential: { kind: 'order', account: own.id, order: found.id, predecessor },
    certificationRequest,
    ...held,
    ...(evidence === null ? {} : { evidence: new SeenEvidence(evidence) }),
    keygen: false,
    channelBindings: null,
  });
  return replyTo(answer, found, exchange, ports, 'possessed' in held);
}

async function replyTo(
  answer: Answer,
  found: StoredOrder,
  exchange: Exchange,
  ports: AcmePorts,
  isHeld: boolean,
): Promise<Reply> {
  const { store } = ports;
  const fresh = async (retryAfterSeconds?: number) =>
    orderReply(
      (await store.order(found.id))!,
      exchange,
      ports,
      retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    );
  switch (answer.outcome) {
    case 'issued':
    case 'redelivered': {
      // It leaves with this answer.
      const { sha256 } = answer.summary;
      return orderReply({ ...found, certificate: sha256, undelivered: false }, exchange, ports);
    }
    case 'held':
      return fresh(answer.retryAfterSeconds);
    case 'malformed':
      return problem({ ...new AcmeError('badCSR', answer.error.message).document, status: 400 });
    case 'failed': {
      // It may be issued by now, and kept back by a workflow: who polls gets it.
      const order = await store.order(found.id);
      if (isHeld || (order !== null && orderStatus(order, ports.now()) === 'processing')) {
        return fresh(answer.retryAfterSeconds);
      }
      return later(answer.id, answer.retryAfterSeconds);
    }
    case 'refused': {
      const document = problemOfRefusal(answer);
      const isLimit = document.status === 429;
      const { retryAfterSeconds: seconds } = answer;
      // A limit passes, and so does what keeps a workflow from being asked. Whatever else refuses what was waited for ends the order: its client has no other way to hear of it.
      if (isHeld && (isLimit || answer.isPassing)) return fresh(seconds);
      if (answer.isPassing) return later(answer.id, seconds);
      if (!isHeld) return problem(document, isLimit ? seconds : undefined);
      await store.failOrder({ id: found.id, problem: document });
      return fresh();
    }
  }
}

/** The order stays as it is, ready for the same finalization. */
function later(supportCode: string, retryAfterSeconds: number): Reply {
  const words = `The request could not be handled now. Try again later. Support code ${supportCode}.`;
  const { document } = new AcmeError('serverInternal', words, { status: 503 });
  return problem({ ...document, status: 503 }, retryAfterSeconds);
}

function problem(document: object & { status: number }, retryAfterSeconds?: number): Reply {
  return {
    status: document.status,
    headers: retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
    body: { type: 'application/problem+json', text: JSON.stringify(document) },
  };
}
