import { path } from '#enrollment';
import { derToPem } from '#x509';
import { type About, accountOf } from './message.ts';
import { AcmeError, malformed, notHere } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { AcmeStore, OrderedCertificate } from './store.ts';
import { certificateUrl } from './urls.ts';

export async function certificateOf(
  sha256: string,
  { now }: Pick<AcmePorts, 'now'>,
  store: AcmeStore,
): Promise<OrderedCertificate | null> {
  return /^[0-9a-f]{64}$/.test(sha256) ? store.certificate({ sha256, now: now() }) : null;
}

/** RFC 8555 section 7.4.2. */
export function certificate(
  message: About<OrderedCertificate | null>,
  exchange: Exchange,
  ports: Pick<AcmePorts, 'authority'>,
): Reply {
  const own = accountOf(message);
  if (message.payload !== null) throw malformed('a certificate takes POST-as-GET');
  const [sha256 = '', number = '0'] = exchange.parts;
  const { found } = message;
  if (found === null || found.undelivered) throw notHere();
  if (found.account !== own.id) {
    throw new AcmeError('unauthorized', `certificate ${sha256} is not of account ${own.id}`, {
      told: 'this is not your certificate',
    });
  }
  const inForce = ports.authority().issuers.get(found.issuer);
  if (inForce === undefined) throw notHere();
  const above = path(inForce.issuer);
  // RFC 8555 section 9.1: "a certificate that represents a trust anchor MAY be omitted from the chain". Who wants it takes the other one.
  const chains = above.length > 1 ? [above.slice(0, -1), above] : [above];
  const chain = /^[0-9]$/.test(number) ? chains[Number(number)] : undefined;
  if (chain === undefined) throw notHere();
  const alternates = chains.flatMap((_, at) =>
    at === Number(number) ? [] : [{ url: certificateUrl(exchange, sha256, at), rel: 'alternate' }],
  );
  const text = [found.der, ...chain.map(({ der }) => der)]
    .map((der) => derToPem(der, 'CERTIFICATE'))
    .join('');
  return { status: 200, links: alternates, body: { type: 'application/pem-certificate-chain', text } };
}
