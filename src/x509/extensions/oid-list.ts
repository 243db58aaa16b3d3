import { SallyportError } from '#errors';
import { type Der, readDer } from '../der-node.ts';
import { der } from '../der-writer.ts';

const maximumOids = 128;

/** ExtKeyUsageSyntax: SEQUENCE SIZE (1..MAX) OF KeyPurposeId (RFC 5280 section 4.2.1.12). Dotted OIDs. */
export function encodeExtendedKeyUsage(purposes: readonly string[]): Der {
  requireSome(purposes.length, 'ExtKeyUsage');
  return der.sequence(...purposes.map((oid) => der.oid(oid)));
}

export function parseExtendedKeyUsage(value: Uint8Array): string[] {
  const purposes = readDer(value).sequence('ExtKeyUsage');
  const parsed: string[] = [];
  while (purposes.more) {
    requireRoom(parsed.length, 'ExtKeyUsage');
    parsed.push(purposes.next().oid('KeyPurposeId'));
  }
  requireSome(parsed.length, 'ExtKeyUsage');
  return parsed;
}

/** CertificatePolicies without qualifiers, as RFC 5280 section 4.2.1.4 recommends. Dotted OIDs. */
export function encodeCertificatePolicies(policies: readonly string[]): Der {
  requireSome(policies.length, 'CertificatePolicies');
  return der.sequence(...policies.map((oid) => der.sequence(der.oid(oid))));
}

/** The policies' OIDs; qualifiers are passed over. "A certificate policy OID MUST NOT appear more than once." */
export function parseCertificatePolicies(value: Uint8Array): string[] {
  const policies = readDer(value).sequence('CertificatePolicies');
  const parsed: string[] = [];
  while (policies.more) {
    requireRoom(parsed.length, 'CertificatePolicies');
    const oid = policies.next().sequence('PolicyInformation').next().oid('policyIdentifier');
    if (parsed.includes(oid)) throw new SallyportError('malformed', `CertificatePolicies: ${oid} twice`);
    parsed.push(oid);
  }
  requireSome(parsed.length, 'CertificatePolicies');
  return parsed;
}

function requireSome(count: number, what: string): void {
  if (count === 0) throw new SallyportError('malformed', `${what}: empty`);
}

function requireRoom(count: number, what: string): void {
  if (count === maximumOids) throw new SallyportError('too-large', `${what}: more than ${maximumOids} OIDs`);
}
