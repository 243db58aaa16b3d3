import {
  authorizationOf,
  deviceIdentifierParts,
  identifierKey,
  identifiersDigest,
  type IdentifierType,
  isDeviceIdentifier,
  named,
  notOrderable,
  type OrderIdentifier,
  ordersDevices,
  type References,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { identifierProblem } from '#validation';
import { certificateOfId } from './renewal-info.ts';
import { orderStatus } from './order-state.ts';
import { attestedWithinMilliseconds } from './device-attest.ts';
import { servedTemplates } from './directory.ts';
import { accountOf, type Message, ownerOf, payloadOf } from './message.ts';
import { orderReply } from './order.ts';
import { AcmeError, malformed, type SubProblem, typeOf } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { StoredAccount } from './store.ts';
import { newId } from './urls.ts';

const mostIdentifiers = 100;
/** Of all their values: the certification request that is to come must be small enough to be kept. */
const mostCharacters = 16 * 1024;
/** RFC 8555 has no word for it: who fills the store with orders waits until some are over. */
const mostOpenOrders = 300;
/** Of an account that anybody could make. */
const mostOpenOrdersWithoutKey = 10;
const retryAfterSeconds = 60;
/** A proof that ends while the order is worked on would be of no use. */
const reuseMarginMilliseconds = 60_000;

/** RFC 8555 section 7.4. */
export async function newOrder(message: Message, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const account = accountOf(message);
  const payload = payloadOf(message);
  const { name, template, references } = templateFor(payload['profile'], exchange, ports);
  if (!mayOrder(account, template)) {
    throw new AcmeError('unauthorized', `account ${account.id} was not given template ${name}`, {
      told: 'this account is not allowed this profile',
    });
  }
  const isOfDevice = ordersDevices(template);
  const identifiers = isOfDevice ? [deviceOf(payload['identifiers'])] : identifiersOf(payload['identifiers']);
  demandOrderable(notOrderable(template, account.key?.names ?? null, identifiers));
  const now = ports.now();
  const validity = validityOf(payload, now, latestEnd(template, now, references));
  const replaced = await replacedBy(payload['replaces'], account.id, identifiers, ports);
  const id = newId(ports.random);
  const expiresAt = now + template.acme!.orderSeconds * 1000;
  const detail = {
    ...ownerOf(account),
    order: id,
    template: name,
    identifiers,
    ...validity,
    replaces: replaced,
  };
  try {
    const { order } = await ports.store.createOrder({
      id,
      account: account.id,
      template: name,
      identifiers,
      names: identifiersDigest(identifiers),
      ...validity,
      replaces: replaced,
      expiresAt,
      wanted: identifiers.map((identifier) => ({
        ...authorizationOf(identifier),
        id: newId(ports.random),
        // RFC 8555 section 8.3: "This value MUST have at least 128 bits of entropy."
        token: Buffer.from(ports.random(32)).toString('base64url'),
      })),
      // Evidence is of one order: whoever orders again attests again.
      reuseUntil: isOfDevice ? null : now + reuseMarginMilliseconds,
      proveUntil: isOfDevice ? Math.min(expiresAt, now + attestedWithinMilliseconds) : expiresAt,
      maximumOpen: account.key === null ? mostOpenOrdersWithoutKey : mostOpenOrders,
      now,
      entry: ports.enrollment.entryOf(exchange.admission, detail),
    });
    return await orderReply(order, exchange, ports, { status: 201 });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    const other = replaced === null ? null : await ports.store.certificate({ sha256: replaced, now });
    if (other !== null && other.replacedBy !== null) throw alreadyReplaced();
    throw new AcmeError('rateLimited', error.message, {
      told: 'this account has too many open orders',
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

function mayOrder({ key }: StoredAccount, { name, acme }: References['templates'][string]): boolean {
  return key === null ? acme?.externalAccountKey === 'optional' : key.templates.includes(name);
}

/** Of the directory, or the profile that the order names (draft-ietf-acme-profiles section 4). */
function templateFor(profile: unknown, exchange: Exchange, ports: AcmePorts) {
  const { templates, defaultTemplate, references } = servedTemplates(exchange, ports);
  if (profile !== undefined && typeof profile !== 'string') throw malformed('profile must be a string');
  const name = profile ?? exchange.template ?? defaultTemplate;
  const isOffered = name !== null && templates.includes(name) && (exchange.template ?? name) === name;
  const template = isOffered ? named(references.templates, name) : undefined;
  if (name === null || template?.acme === undefined) {
    throw new AcmeError('invalidProfile', `profile ${String(name).slice(0, 64)} is not offered here`);
  }
  return { name, template, references };
}

function identifiersOf(value: unknown): readonly OrderIdentifier[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostIdentifiers) {
    throw malformed(`identifiers must be a list of 1 to ${mostIdentifiers}`);
  }
  const problems: SubProblem[] = [];
  const identifiers = new Map<string, OrderIdentifier>();
  for (const each of value as unknown[]) {
    const { type, value: text } = Object(each) as Record<string, unknown>;
    if (typeof type !== 'string' || typeof text !== 'string' || text.length > 255) {
      throw malformed('an identifier has a type and a value');
    }
    if (type !== 'dns' && type !== 'ip') {
      throw new AcmeError(
        'unsupportedIdentifier',
        `identifiers of type ${type.slice(0, 32)} cannot be ordered here`,
      );
    }
    // A name of DNS is the same in any case; clients have been seen to send what people typed. ASCII alone: toLowerCase would make a `k` of the Kelvin sign.
    const lowerCase = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    const identifier = { type, value: type === 'dns' ? lowerCase : text } as const;
    const problem = identifierProblem(identifier);
    if (problem === null) identifiers.set(identifierKey(identifier), identifier);
    else problems.push({ type: typeOf('malformed'), detail: problem, identifier });
  }
  if (problems.length > 0) {
    const told = problems.map(({ identifier, detail }) => `${identifier.value}: ${detail}`).join('; ');
    throw new AcmeError('malformed', told.slice(0, 1000), { subproblems: problems });
  }
  const ordered = [...identifiers.values()];
  if (ordered.reduce((sum, each) => sum + each.value.length, 0) > mostCharacters) {
    throw malformed(`identifiers of more than ${mostCharacters} characters in all`);
  }
  return ordered;
}

/** One device, octet for octet (draft-ietf-acme-device-attest sections 3 and 4). */
function deviceOf(value: unknown): OrderIdentifier {
  const [only, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
  const { type, value: text } = Object(only) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof text !== 'string' || text.length > 255 || more.length > 0) {
    throw malformed('identifiers must be one device, with its type and value');
  }
  const identifier = { type: type as IdentifierType, value: text };
  if (!isDeviceIdentifier(identifier)) {
    throw new AcmeError(
      'unsupportedIdentifier',
      `identifiers of type ${type.slice(0, 32)} cannot be ordered here`,
    );
  }
  if (deviceIdentifierParts(identifier) === null) throw malformed(`the ${type} has not the form of one`);
  return identifier;
}

/** RFC 8555 section 6.7.1. */
function demandOrderable(rejected: readonly OrderIdentifier[]): void {
  if (rejected.length === 0) return;
  const detail = 'this name is not given here, or not to this account';
  const subproblems = rejected.map((identifier) => ({
    type: typeOf('rejectedIdentifier'),
    detail,
    identifier,
  }));
  const values = rejected.map(({ value }) => value).join(', ');
  throw new AcmeError('rejectedIdentifier', `not given to this account: ${values}`.slice(0, 1000), {
    told: detail,
    subproblems,
  });
}

function latestEnd(
  { validitySeconds, issuer }: References['templates'][string],
  now: number,
  { issuers }: References,
): number {
  return Math.min(now + validitySeconds * 1000, named(issuers, issuer)?.notAfter ?? now);
}

/** RFC 8555 section 7.4: "The server MUST return an error if it cannot fulfill the request as specified, and it MUST NOT issue a certificate with contents other than those requested." */
function validityOf(
  payload: Readonly<Record<string, unknown>>,
  now: number,
  latest: number,
): { notBefore: number | null; notAfter: number | null } {
  const notBefore = timeOf(payload['notBefore'], 'notBefore');
  const notAfter = timeOf(payload['notAfter'], 'notAfter');
  const begin = Math.max(notBefore ?? now, now);
  // Clocks that are a little behind.
  const slack = 60_000;
  const fits =
    (notBefore === null || (notBefore >= now - slack && notBefore < latest)) &&
    // In X.509 times are whole seconds.
    (notAfter === null || (notAfter - 1000 >= begin && notAfter <= latest));
  if (fits) return { notBefore, notAfter };
  throw malformed('notBefore and notAfter must lie within what the profile gives, from now on');
}

/** What Go writes for a time that was not set: step 0.29 asks so for no time at all. */
const unset = '0001-01-01T00:00:00Z';

function timeOf(value: unknown, name: string): number | null {
  if (value === undefined || value === null || value === unset) return null;
  const time =
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(value)
      ? Date.parse(value)
      : Number.NaN;
  if (Number.isNaN(time)) throw malformed(`${name} must be a time as RFC 3339 has it`);
  // X.509 has no parts of seconds.
  return Math.floor(time / 1000) * 1000;
}

/** RFC 9773 section 5. */
async function replacedBy(
  replaces: unknown,
  account: string,
  identifiers: readonly OrderIdentifier[],
  ports: AcmePorts,
): Promise<string | null> {
  if (replaces === undefined) return null;
  if (typeof replaces !== 'string') throw malformed('replaces must be a string');
  const certificate = await certificateOfId(replaces, ports);
  if (certificate === null) throw malformed('replaces names no certificate of this authority');
  if (certificate.account !== account) {
    throw new AcmeError('unauthorized', `certificate ${certificate.sha256} is not of account ${account}`, {
      told: 'replaces names a certificate of another account',
    });
  }
  // A device may be in its certificate otherwise than it was ordered, or not at all.
  const { ordered, identifiers: certified } = certificate;
  const had = new Set((ordered.some(isDeviceIdentifier) ? ordered : certified).map(identifierKey));
  if (!identifiers.some((identifier) => had.has(identifierKey(identifier)))) {
    throw malformed('the certificate that is replaced has none of these identifiers');
  }
  if (certificate.replacedBy !== null) await release(certificate.replacedBy, ports);
  return certificate.sha256;
}

/** Of an order that is over without a certificate: it replaces nothing. What is replaced is so by "a different Order that is not "invalid"". */
async function release(id: string, ports: AcmePorts): Promise<void> {
  const other = await ports.store.order(id);
  if (other !== null && orderStatus(other, ports.now()) !== 'invalid') throw alreadyReplaced();
  const detail = 'it was not fulfilled, and another order replaces the certificate';
  await ports.store.failOrder({ id, problem: { type: typeOf('unauthorized'), detail } });
}

function alreadyReplaced(): AcmeError {
  return new AcmeError('alreadyReplaced', 'another order replaces this certificate already');
}
