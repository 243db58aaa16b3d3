import { certificateProblem } from './challenge-certificate.ts';
import type { Challenge } from './challenge.ts';
import { openConnection, type Peer } from './connection.ts';
import { handshake } from './handshake.ts';
import { type Failure, failsForNow, fails, isFailure } from './outcome.ts';
import type { Place } from './place.ts';
import { reverseName } from './reverse-name.ts';

const protocol = 'acme-tls/1';

/** RFC 8737 section 3. Null: it holds. */
export async function tlsAlpn01(
  { identifier, keyAuthorization }: Challenge,
  place: Place,
): Promise<Failure | null> {
  const { type, value } = identifier;
  const addresses = type === 'dns' ? await place.dns.addresses(value, value) : [value];
  if (isFailure(addresses)) return addresses;
  const peer: Peer = { name: value, at: (address) => address };
  const connection = await openConnection(addresses, place.tlsPort, peer, place);
  if (isFailure(connection)) return connection;
  const { socket, address } = connection;
  // RFC 8738 section 6: the reverse mapping, since SNI has no addresses.
  const serverName = type === 'dns' ? value : reverseName(value);
  const secured = await handshake(socket, { serverName, protocol });
  if (typeof secured === 'string') return handshakeFailure(secured, address, place);
  const { alpnProtocol } = secured;
  const certificate = secured.getPeerX509Certificate()?.raw;
  // Section 4: "MUST NOT exchange any further data with the server and MUST immediately close the connection".
  secured.destroySoon();
  if (alpnProtocol !== protocol) return notNegotiated(address);
  if (certificate === undefined) return fails('tls', `${address} presents no certificate`);
  const problem = certificateProblem(certificate, identifier, keyAuthorization);
  return problem === null ? null : fails('incorrectResponse', `the certificate of ${address} ${problem}`);
}

function handshakeFailure(code: string, address: string, { signal }: Place): Failure {
  if (signal.aborted) return failsForNow('connection', `no TLS handshake with ${address} in time`);
  return code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'
    ? notNegotiated(address)
    : fails('tls', `the TLS handshake with ${address} failed`);
}

function notNegotiated(address: string): Failure {
  return fails('tls', `${address} does not negotiate ${protocol}`);
}
