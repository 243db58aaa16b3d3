import { SallyportError } from '#errors';
import type { SigningKey } from '#keys';
import { assembleSigned, type Certificate, type Der, inspectPublicKey, parseCertificate } from '#x509';
import type { Issuer } from './issuer.ts';
import { lint, lintedContent } from './lint.ts';
import { verifySigned } from './own-signature.ts';
import { buildTbs, type IssuePlan } from './tbs.ts';
import type { Template } from './template.ts';

/** A certificate for a part of the authority itself, which no verdict precedes. */
export interface OwnRequest extends Omit<IssuePlan, 'template'> {
  readonly issuer: Issuer;
}

/** What such a certificate is for: fixed here, and nowhere configured. */
type Profile = Pick<Template, 'name' | 'keyUsage' | 'extendedKeyUsage'>;

/** Built and linted like any other. */
export async function signOwn({ issuer, ...request }: OwnRequest, profile: Profile): Promise<Certificate> {
  const plan = { ...request, template: ownTemplate(issuer, request, profile) };
  const { tbs } = lintedContent(lint(buildTbs(plan, issuer), plan, issuer));
  return signWith(issuer.key, tbs);
}

export async function signWith(key: SigningKey, tbs: Der): Promise<Certificate> {
  const signature = await key.sign(tbs);
  if (!verifySigned(key, tbs, signature)) {
    throw new SallyportError('key', 'the key made a signature that does not verify');
  }
  return parseCertificate(assembleSigned(tbs, key.algorithm, signature));
}

function ownTemplate(
  { name: issuer }: Issuer,
  { spki, notBefore, notAfter }: Omit<OwnRequest, 'issuer'>,
  profile: Profile,
): Template {
  const { algorithm } = inspectPublicKey(spki);
  if (algorithm === 'rsa-other' || algorithm === 'ec-other' || algorithm === 'other') {
    throw new SallyportError('unsupported', `a ${profile.name} cannot have a key of this kind`);
  }
  return {
    ...profile,
    issuer,
    subject: [],
    subjectAltName: [],
    request: { ignoredSubjectAttributes: [], subjectAltName: [] },
    keyAlgorithms: [algorithm],
    keyProtection: 'declared',
    validitySeconds: (notAfter - notBefore) / 1000,
    renewalWindowSeconds: 0,
    authentication: [],
    policies: [],
    extensions: [],
    renewal: { key: 'any', omittedNames: 'refused', changeSubjectName: false },
    channelBinding: 'optional',
    serverKeygen: null,
  };
}
