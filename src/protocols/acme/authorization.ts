import { named } from '#enrollment';
import { isSallyportError } from '#errors';
import { type About, accountOf, ownerOf, payloadOf } from './message.ts';
import { authorizationStatus, challengeStatus } from './order-state.ts';
import { answerWithEvidence } from './device-attest.ts';
import { AcmeError, malformed, notHere } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { StoredAuthorization } from './store.ts';
import { authorizationUrl, challengeUrl } from './urls.ts';
import { validationLeaseMilliseconds, type Validations } from './validations.ts';

/** How long an answer waits for the proof to be seen. */
const waitMilliseconds = 3_000;
const pollSeconds = 1;

/** RFC 8555 sections 7.1.4, 7.5 and 7.5.2. */
export async function authorization(
  message: About<StoredAuthorization | null>,
  exchange: Exchange,
  ports: AcmePorts,
): Promise<Reply> {
  const found = ownAuthorization(message);
  if (exchange.parts.length > 1) throw notHere();
  if (message.payload === null) return authorizationReply(found, exchange, ports);
  const payload = payloadOf(message);
  if (payload['status'] !== 'deactivated') {
    throw malformed('an authorization can be deactivated, and nothing else');
  }
  const status = authorizationStatus(found, ports.now());
  if (status !== 'pending' && status !== 'valid') return authorizationReply(found, exchange, ports);
  const { id, type, value } = found;
  const detail = {
    ...ownerOf(accountOf(message)),
    authorization: id,
    identifier: { type, value },
    status: 'deactivated',
  };
  const entry = ports.enrollment.entryOf(exchange.admission, detail);
  try {
    const { document: problem } = new AcmeError(
      'unauthorized',
      `the authorization for ${value} was deactivated`,
    );
    await ports.store.deactivateAuthorization({ id, problem, entry });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
  }
  return authorizationReply((await ports.store.authorization(id))!, exchange, ports);
}

/** RFC 8555 section 7.5.1: "The client indicates to the server that it is ready for the challenge validation by sending an empty JSON body ({})". */
export async function challenge(
  message: About<StoredAuthorization | null>,
  exchange: Exchange,
  ports: AcmePorts,
  validations: Validations,
): Promise<Reply> {
  const [, type = ''] = exchange.parts;
  const own = accountOf(message);
  let found = ownAuthorization(message);
  if (!challengesOf(found, ports).includes(type)) throw notHere();
  const now = ports.now();
  const isFirst = authorizationStatus(found, now) === 'pending' && found.method === null;
  // "The server MUST ignore any fields in the response object that are not specified as response fields for this type of challenge": but for evidence, there are none.
  if (message.payload !== null) payloadOf(message);
  if (message.payload !== null && isFirst && type === 'device-attest-01') {
    try {
      await answerWithEvidence(message, found, own, exchange, ports);
    } catch (error) {
      if (!isSallyportError(error, 'conflict')) throw error;
    }
    found = (await ports.store.authorization(found.id))!;
  } else if (message.payload !== null && isFirst) {
    const detail = {
      ...ownerOf(own),
      authorization: found.id,
      identifier: { type: found.type, value: found.value },
      method: type,
    };
    const { admission } = exchange;
    const entry = ports.enrollment.entryOf(admission, detail);
    const dueAt = now + validationLeaseMilliseconds;
    const answer = { id: found.id, method: type, request: admission.id, dueAt, now, entry };
    let seen: StoredAuthorization | null = null;
    try {
      // As it is when the answer is written down: one that ended meanwhile has nothing looked for.
      const [, account] = await Promise.all([ports.store.respond(answer), ports.store.account(own.id)]);
      validations.begin({ ...found, method: type, request: admission.id }, dueAt, account);
      seen = await validations.wait(found.id, waitMilliseconds);
    } catch (error) {
      if (!isSallyportError(error, 'conflict')) {
        validations.breakOff(found.id, dueAt);
        throw error;
      }
    }
    found = seen ?? (await ports.store.authorization(found.id))!;
  }
  return {
    status: 200,
    headers: challengeStatus(found, type) === 'processing' ? { 'Retry-After': String(pollSeconds) } : {},
    links: [{ url: authorizationUrl(exchange, found.id), rel: 'up' }],
    body: challengeBody(found, type, exchange),
  };
}

function ownAuthorization(message: About<StoredAuthorization | null>): StoredAuthorization {
  const own = accountOf(message);
  const { found } = message;
  if (found === null) throw notHere();
  if (found.account === own.id) return found;
  throw new AcmeError(
    'unauthorized',
    `authorization ${found.id} is of account ${found.account}, not ${own.id}`,
    {
      told: 'this is not your authorization',
    },
  );
}

function authorizationReply(found: StoredAuthorization, exchange: Exchange, ports: AcmePorts): Reply {
  const status = authorizationStatus(found, ports.now());
  // Section 7.1.4: "For valid authorizations, the challenge that was validated. For invalid authorizations, the challenge that was attempted and failed."
  const offered = challengesOf(found, ports);
  const shown = found.method !== null && status !== 'pending' ? [found.method] : offered;
  const isUnderWay = status === 'pending' && found.method !== null;
  return {
    status: 200,
    headers: isUnderWay ? { 'Retry-After': String(pollSeconds) } : {},
    body: {
      identifier: { type: found.type, value: found.value },
      status,
      expires: new Date(found.expiresAt).toISOString(),
      challenges: shown.map((type) => challengeBody(found, type, exchange)),
      ...(found.wildcard ? { wildcard: true } : {}),
    },
  };
}

function challengeBody(found: StoredAuthorization, type: string, exchange: Exchange): object {
  const status = challengeStatus(found, type);
  return {
    type,
    url: challengeUrl(exchange, found.id, type),
    status,
    token: found.token,
    ...(status === 'valid' && found.validatedAt !== null
      ? { validated: new Date(found.validatedAt).toISOString() }
      : {}),
    ...(status === 'invalid' && found.error !== null ? { error: found.error } : {}),
  };
}

/** A wildcard is proven by DNS alone, since who serves one host controls no other, and an address by no DNS (RFC 8738 section 7). */
function challengesOf(
  { template, type, wildcard }: StoredAuthorization,
  { authority }: Pick<AcmePorts, 'authority'>,
): readonly string[] {
  const offered = named(authority().references.templates, template)?.acme?.challenges ?? [];
  if (type !== 'dns' && type !== 'ip') return offered.filter((each) => each === 'device-attest-01');
  return offered.filter((each) =>
    each === 'dns-01' ? type === 'dns' : each !== 'device-attest-01' && !wildcard,
  );
}
