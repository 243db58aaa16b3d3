import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Challenge } from './challenge.ts';
import { openConnection, type Peer } from './connection.ts';
import { handshake } from './handshake.ts';
import { get, type HttpAnswer } from './http-get.ts';
import { type Failure, failsForNow, fails, isFailure } from './outcome.ts';
import type { Place } from './place.ts';
import { hostField, type HttpTarget, redirectTarget } from './redirect.ts';

const maximumRedirects = 5;
/** White space behind the key authorization. */
const toleratedBytes = 512;
const redirects = [301, 302, 303, 307, 308];

/** RFC 8555 section 8.3. Null: it holds. */
export async function http01(challenge: Challenge, place: Place): Promise<Failure | null> {
  const { identifier, token, keyAuthorization } = challenge;
  let target: HttpTarget = {
    scheme: 'http',
    host: identifier.value,
    port: place.httpPort,
    path: `/.well-known/acme-challenge/${token}`,
  };
  for (let followed = 0; ; followed += 1) {
    const peer = peerOf(target, followed);
    const found = await ask(target, peer, keyAuthorization.length + toleratedBytes, place);
    if (isFailure(found)) return found;
    const { answer, address } = found;
    if (answer.kind !== 'whole') return failureOf(answer, peer.at(address), place);
    if (!redirects.includes(answer.status)) return judge(answer, peer.at(address), keyAuthorization);
    if (followed === maximumRedirects) {
      return fails('incorrectResponse', `there are more than ${maximumRedirects} redirects`);
    }
    const next = redirectTarget(answer.location, target, place);
    if (typeof next === 'string') return fails('incorrectResponse', `redirect ${followed + 1} ${next}`);
    target = next;
  }
}

/** Where a redirect leads was answered by the other side, and so is what it resolves to: a failure there names neither. */
function peerOf({ host }: HttpTarget, followed: number): Peer {
  const place = `the target of redirect ${followed}`;
  return followed === 0 ? { name: host, at: (address) => address } : { name: place, at: () => place };
}

async function ask(
  target: HttpTarget,
  peer: Peer,
  maximumBodyBytes: number,
  place: Place,
): Promise<{ readonly answer: HttpAnswer; readonly address: string } | Failure> {
  const { scheme, host, port, path } = target;
  // RFC 8738 section 4: "their initial DNS resolution step MUST be skipped".
  const addresses = isIP(host) === 0 ? await place.dns.addresses(host, peer.name) : [host];
  if (isFailure(addresses)) return addresses;
  const connection = await openConnection(addresses, port, peer, place);
  if (isFailure(connection)) return connection;
  const { address } = connection;
  let socket: Duplex = connection.socket;
  if (scheme === 'https') {
    const serverName = isIP(host) === 0 ? host : null;
    const secured = await handshake(connection.socket, { serverName, protocol: 'http/1.1' });
    if (typeof secured === 'string') return tlsFailure(peer.at(address), place);
    socket = secured;
  }
  return { answer: await get({ socket, host: hostField(target), path, maximumBodyBytes }), address };
}

/** "The server SHOULD ignore whitespace characters at the end of the body." */
function judge(
  { status, body }: Extract<HttpAnswer, { kind: 'whole' }>,
  peer: string,
  keyAuthorization: string,
): Failure | null {
  if (status !== 200) {
    const detail = `${peer} answers with status ${status}`;
    return status >= 500 ? failsForNow('unauthorized', detail) : fails('unauthorized', detail);
  }
  return body.toString('latin1').replace(/[ \t\r\n\v\f]+$/, '') === keyAuthorization
    ? null
    : fails('incorrectResponse', `the answer of ${peer} is not the key authorization`);
}

function failureOf(
  { kind }: Exclude<HttpAnswer, { kind: 'whole' }>,
  peer: string,
  { signal }: Place,
): Failure {
  switch (kind) {
    case 'long-head':
      return fails('incorrectResponse', `the header of ${peer}'s answer is too long`);
    case 'long-body':
      return fails('incorrectResponse', `the answer of ${peer} is longer than the key authorization`);
    case 'broken':
      return failsForNow(
        'connection',
        signal.aborted ? `no whole answer of ${peer} in time` : `${peer} gives no whole answer of HTTP`,
      );
  }
}

function tlsFailure(peer: string, { signal }: Place): Failure {
  return signal.aborted
    ? failsForNow('connection', `no TLS handshake with ${peer} in time`)
    : fails('tls', `the TLS handshake with ${peer} failed`);
}
