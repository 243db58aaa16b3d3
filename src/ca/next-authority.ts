import { SallyportError } from '#errors';
import {
  type Certificate,
  type Der,
  equalBytes,
  inspectPublicKey,
  parseCertificate,
  sameName,
  verifyCertificateSignature,
} from '#x509';
import { requireAuthority, requireChain } from './authority-chain.ts';

/** The CA that will issue when an issuer's certificate has ended. Certificates alone: its key is wherever it is made ready. Only `loadNextAuthority` makes one. */
export interface NextAuthority {
  /** What clients take up then: the RA where there is one, the CA, and those above it, the root last. */
  readonly certificates: readonly Certificate[];
}

/**
 * Clients trust whatever is published as what follows (RFC 8894 section 4.7), so it must be able to: a CA, its chain whole, another one than now or
 * the same one renewed, there before the current one ends and after it.
 *
 * @throws SallyportError 'config', 'bad-signature' where the chain does not verify
 */
export function loadNextAuthority(
  { name, certificate: current }: { readonly name: string; readonly certificate: Certificate },
  parts: {
    readonly certificate: Der;
    /** Root last; without `certificate`. */
    readonly chain: readonly Der[];
    readonly ra: Der | null;
  },
): NextAuthority {
  const next = parseCertificate(parts.certificate);
  const path = [next, ...parts.chain.map((der) => parseCertificate(der))];
  const ra = parts.ra === null ? [] : [parseCertificate(parts.ra)];
  requireAuthority(`${name}, next`, next);
  requireChain(`${name}, next`, path);
  const problem =
    problemOfSuccession(next, current) ??
    ra.map((one) => problemOfRa(one, next)).find((words) => words !== null) ??
    [...ra, ...path].map((one) => problemOfLife(one, current)).find((words) => words !== null) ??
    null;
  if (problem !== null) throw new SallyportError('config', `issuer ${name}, next: ${problem}`);
  return Object.freeze({ certificates: Object.freeze([...ra, ...path]) });
}

function problemOfSuccession(next: Certificate, current: Certificate): string | null {
  if (equalBytes(next.der, current.der)) return 'the certificate is that of the issuer itself';
  if (equalBytes(next.spki, current.spki) && !sameName(next.subject, current.subject)) {
    return 'the certificate gives the key of the issuer another name: name another key, or the same CA renewed';
  }
  return null;
}

/** As our own are (RFC 8894 section 2.1.2): clients encrypt to it, and verify answers by it. */
function problemOfRa(ra: Certificate, next: Certificate): string | null {
  if (ra.isCa) return 'the certificate of its RA is one of a CA';
  if (!sameName(ra.issuer, next.subject) || !verifyCertificateSignature(ra, next.spki)) {
    return 'the certificate of its RA is not issued by it';
  }
  if (!['digitalSignature', 'keyEncipherment'].every((usage) => ra.keyUsage?.includes(usage))) {
    return 'the certificate of its RA must have keyUsage digitalSignature and keyEncipherment';
  }
  return inspectPublicKey(ra.spki).algorithm.startsWith('rsa-')
    ? null
    : 'the key of its RA is not RSA: SCEP encrypts to it';
}

/** "to be used when the current CA certificate expires" (RFC 8894 section 4.7.1): then all of them are there. */
function problemOfLife({ notBefore, notAfter }: Certificate, current: Certificate): string | null {
  if (notBefore > current.notAfter) return 'a certificate begins only after that of the issuer has ended';
  return notAfter > current.notAfter ? null : 'a certificate ends no later than that of the issuer';
}
