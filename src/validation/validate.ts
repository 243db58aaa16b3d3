import { SallyportError } from '#errors';
import { caaPermission, type CaaRequest } from './caa.ts';
import type { Challenge, ChallengeType } from './challenge.ts';
import { dns01 } from './dns-01.ts';
import { dnsBy } from './dns.ts';
import { http01 } from './http-01.ts';
import { identifierProblem } from './identifier.ts';
import { type Failure, fails, type ValidationOutcome } from './outcome.ts';
import { permittedIn } from './permitted-address.ts';
import type { Place } from './place.ts';
import type { Perspective, ValidationSettings } from './settings.ts';
import { tlsAlpn01 } from './tls-alpn-01.ts';

type Proof = (challenge: Challenge, place: Place) => Promise<Failure | null>;

const proofs: Readonly<Record<ChallengeType, Proof>> = {
  'http-01': http01,
  'dns-01': dns01,
  'tls-alpn-01': tlsAlpn01,
};

/** Of the time of the whole: for four addresses, and the answer of the last. */
const partsForConnections = 5;

/**
 * One attempt, from all places at once, which each have to agree: the first that does not is what failed. Never rejects for what the other side does or is;
 * with SallyportError `config` for settings and `internal` for a token that are none.
 */
export async function validate(
  challenge: Challenge,
  settings: ValidationSettings,
): Promise<ValidationOutcome> {
  const { type, token } = challenge;
  // It becomes a path.
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new SallyportError('internal', 'the token is not base64url');
  return everywhere(settings, refusalOf(challenge, settings), async (place) => {
    const failure = await proofs[type](challenge, place);
    return failure ?? permission(challenge, settings, place);
  });
}

/**
 * CAA alone, where an authorization is used again: RFC 8659 section 3 has it looked at before a certificate is issued, however long ago control was proven. Rejects
 * as `validate` does.
 */
export function validateCaa(request: CaaRequest, settings: ValidationSettings): Promise<ValidationOutcome> {
  const problem = identifierProblem(request.identifier);
  const refusal = problem === null ? null : fails('rejectedIdentifier', problem);
  return everywhere(settings, refusal, (place) => permission(request, settings, place));
}

async function permission(request: CaaRequest, { caa }: ValidationSettings, { dns }: Place) {
  return caa === null ? null : caaPermission(request, caa, dns);
}

/** What needs no look at the world. */
function refusalOf(challenge: Challenge, { networks }: ValidationSettings): Failure | null {
  const { type, identifier, wildcard } = challenge;
  const problem = identifierProblem(identifier);
  if (problem !== null) return fails('rejectedIdentifier', problem);
  if (identifier.value.startsWith('*.')) {
    return fails('rejectedIdentifier', 'an authorization of a wildcard is for the name without it');
  }
  if (wildcard && type !== 'dns-01') {
    return fails('rejectedIdentifier', 'control of a wildcard is proven by dns-01 alone');
  }
  if (identifier.type === 'dns') return null;
  // RFC 8738 section 7.
  if (wildcard || type === 'dns-01') {
    return fails('rejectedIdentifier', 'control of an IP address is not proven by dns-01');
  }
  return permittedIn(networks)(identifier.value) === null
    ? fails('rejectedIdentifier', 'it is not an address that this server may connect to')
    : null;
}

async function everywhere(
  settings: ValidationSettings,
  refusal: Failure | null,
  attempt: (place: Place) => Promise<Failure | null>,
): Promise<ValidationOutcome> {
  if (refusal !== null) return { valid: false, ...refusal, addresses: [] };
  const signal = AbortSignal.timeout(settings.timeoutMilliseconds);
  const here: Perspective = { name: '', resolvers: settings.resolvers, localAddress: null };
  const perspectives = [here, ...settings.perspectives];
  const places = perspectives.map((perspective) => placeOf(perspective, settings, signal));
  const failures = await Promise.all(places.map(attempt));
  const addresses = places.flatMap(({ connectedTo }) => connectedTo);
  for (const [at, failure] of failures.entries()) {
    if (failure === null) continue;
    const from = at === 0 ? '' : `seen from ${perspectives[at]!.name}: `;
    return { valid: false, ...failure, detail: from + failure.detail, addresses };
  }
  return { valid: true, addresses };
}

function placeOf(perspective: Perspective, settings: ValidationSettings, signal: AbortSignal): Place {
  const { resolvers, localAddress } = perspective;
  const { networks, httpPort, tlsPort, timeoutMilliseconds } = settings;
  return {
    dns: dnsBy({ resolvers, localAddress, timeoutMilliseconds }, signal),
    localAddress,
    permitted: permittedIn(networks),
    httpPort,
    tlsPort,
    connectMilliseconds: timeoutMilliseconds / partsForConnections,
    signal,
    connectedTo: [],
  };
}
