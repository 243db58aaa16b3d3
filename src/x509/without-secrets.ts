import type { CertificationRequest } from './certification-request.ts';
import { type Der, readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { oids } from './oids.ts';

/** Attributes whose values prove something by being known: RFC 2985 section 5.4.1, and its successors of RFC 7894 sections 3.1 and 3.2. */
const secretAttributes: readonly string[] = [
  oids.challengePassword,
  oids.otpChallenge,
  oids.revocationChallenge,
];

/**
 * The request without the attributes that hold secrets, everything else octet for octet as it came; the request itself where it has none. Its
 * signature then no longer fits: it was made over what is taken out.
 */
export function withoutSecrets(request: CertificationRequest): Der {
  if (!request.attributes.some(({ oid }) => secretAttributes.includes(oid))) return request.der;
  const outer = readDer(request.der).sequence('CertificationRequest');
  const info = outer.next().sequence('CertificationRequestInfo');
  const fields = [info.next().der, info.next().der, info.next().der];
  const attributes = info.next().children('attributes');
  const kept: Der[] = [];
  while (attributes.more) {
    const attribute = attributes.next();
    if (!secretAttributes.includes(attribute.sequence('Attribute').next().oid('attribute type'))) {
      kept.push(attribute.der);
    }
  }
  const stripped = der.sequence(...fields, der.implicitConstructed(0, ...kept));
  return der.sequence(stripped, outer.next().der, outer.next().der);
}
