import { authorizationOf, identifierOf, sha256Hex } from '#enrollment';
import { isSallyportError } from '#errors';
import { decodeBase64Url } from '#jose';
import { parseCertificate } from '#x509';
import { type Message, payloadOf } from './message.ts';
import { AcmeError, malformed } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { OrderedCertificate } from './store.ts';

/** RFC 5280 section 5.3.1, of what a subscriber can say: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation. */
const reasons = [0, 1, 3, 4, 5];

/** RFC 8555 section 7.6: by the account that ordered it, by one that may have all of its names, or by its own key. */
export async function revokeCert(message: Message, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const payload = payloadOf(message);
  const { certificate: encoded, reason = 0 } = payload;
  if (typeof encoded !== 'string') throw malformed('certificate must be a string');
  if (!reasons.includes(reason as number)) {
    throw new AcmeError('badRevocationReason', `a reason is one of ${reasons.join(', ')}`);
  }
  const der = decoded(encoded);
  const found = await ports.store.certificate({ sha256: sha256Hex(der), now: ports.now() });
  if (found === null || found.account === null) {
    throw new AcmeError('malformed', 'no account has ordered this certificate here', { status: 404 });
  }
  const by = await authorizedBy(message, found, ports);
  if (found.revokedAt !== null) throw new AcmeError('alreadyRevoked', 'the certificate is revoked already');
  const { sha256, issuer, template, device } = found;
  const { serialNumber } = parseCertificate(found.der);
  const detail = { sha256, issuer, serialNumber, template, device, reason, by };
  try {
    await ports.store.revoke({
      sha256,
      reason: reason as number,
      now: ports.now(),
      entry: ports.enrollment.entryOf(exchange.admission, detail, 'revoked'),
    });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    throw new AcmeError('alreadyRevoked', 'the certificate is revoked already');
  }
  ports.revoked(issuer);
  return { status: 200, body: null };
}

async function authorizedBy(
  { signer }: Message,
  found: OrderedCertificate,
  ports: AcmePorts,
): Promise<Readonly<Record<string, string>>> {
  const parsed = parseCertificate(found.der);
  if (signer.by === 'key') {
    if (Buffer.compare(signer.jwk.spki, parsed.spki) === 0) return { key: sha256Hex(parsed.spki) };
    throw refused('the key that signed is not that of the certificate');
  }
  const { id } = signer.account;
  if (found.account === id) return { account: id };
  const names = parsed.subjectAltName.map(identifierOf);
  const wanted = names.filter((name) => name !== null).map(authorizationOf);
  const isWhole = wanted.length === names.length;
  if (isWhole && (await ports.store.isAuthorized({ account: id, wanted, now: ports.now() }))) {
    return { authorized: id };
  }
  throw refused(
    `account ${id} has neither ordered certificate ${found.sha256} nor authorizations for all of its names`,
  );
}

function decoded(encoded: string): Uint8Array {
  try {
    return decodeBase64Url(encoded, 'certificate');
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new AcmeError('malformed', cause.message, { cause });
  }
}

function refused(message: string): AcmeError {
  return new AcmeError('unauthorized', message, { told: 'this does not authorize the revocation' });
}
