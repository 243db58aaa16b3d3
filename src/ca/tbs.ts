import type { SigningKey } from '#keys';
import {
  type Certificate,
  type Der,
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeCrlDistributionPoints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  type Extension,
  extensionOids,
  type GeneralName,
  inspectPublicKey,
  keyIdentifier,
  type Name,
  type TbsCertificateFields,
} from '#x509';
import { usagesFor } from './key-usage.ts';
import { remembered } from './remembered.ts';
import type { Template } from './template.ts';

/** All that goes into one certificate. Built from facts, never from what a request says unvetted. */
export interface IssuePlan {
  readonly template: Template;
  readonly subject: Name;
  readonly subjectAltName: readonly GeneralName[];
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Der;
  /** Lower case hex, positive. */
  readonly serialNumber: string;
  /** Milliseconds; certificates hold whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly crlUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
}

/** What building and linting know of an issuer: all but how to sign. An Issuer is one. */
export interface IssuerFacts {
  readonly name: string;
  readonly certificate: Certificate;
  readonly key: Pick<SigningKey, 'algorithm' | 'spki'>;
}

export function buildTbs(plan: IssuePlan, issuer: IssuerFacts): Der {
  return encodeTbsCertificate(tbsFields(plan, issuer));
}

export function tbsFields(plan: IssuePlan, issuer: IssuerFacts): TbsCertificateFields {
  return {
    serialNumber: plan.serialNumber,
    signatureAlgorithm: issuer.key.algorithm,
    // RFC 5280 section 4.1.2.4 and 6.1.3 (a) (4): byte for byte the issuer's subject.
    issuer: issuer.certificate.subjectDer,
    subject: plan.subject,
    notBefore: plan.notBefore,
    notAfter: plan.notAfter,
    spki: plan.spki,
    extensions: plannedExtensions(plan, issuer),
  };
}

function plannedExtensions(plan: IssuePlan, issuer: IssuerFacts): Extension[] {
  const usages = usagesFor(plan.template.keyUsage, inspectPublicKey(plan.spki).algorithm);
  const extensions = [
    extension('keyUsage', true, encodeKeyUsage(usages)),
    ...templateExtensions(plan.template),
    extension('subjectKeyIdentifier', false, encodeSubjectKeyIdentifier(keyIdentifier(plan.spki))),
    authorityKeyIdentifier(issuer.certificate),
  ];
  if (plan.subjectAltName.length > 0) {
    // RFC 5280 section 4.2.1.6: critical if, and only if, the subject is empty.
    const critical = plan.subject.length === 0;
    extensions.push(extension('subjectAltName', critical, encodeSubjectAltName(plan.subjectAltName)));
  }
  if (plan.crlUrls.length > 0) extensions.push(crlDistributionPoints(plan.crlUrls));
  if (plan.caIssuersUrls.length > 0) extensions.push(authorityInfoAccess(plan.caIssuersUrls));
  return extensions;
}

const templateExtensions = remembered((template: Template): readonly Extension[] => {
  const extensions = [
    extension('basicConstraints', true, encodeBasicConstraints({ ca: false })),
    extension('extendedKeyUsage', false, encodeExtendedKeyUsage(template.extendedKeyUsage)),
  ];
  if (template.policies.length > 0) {
    extensions.push(extension('certificatePolicies', false, encodeCertificatePolicies(template.policies)));
  }
  for (const { oid, critical, value } of template.extensions) {
    extensions.push({ oid, critical, value: Uint8Array.fromHex(value) });
  }
  return extensions;
});

/** RFC 5280 section 4.2.1.1: the identifier that the issuer's own certificate gives its key. */
const authorityKeyIdentifier = remembered(({ subjectKeyIdentifier, spki }: Certificate) =>
  extension(
    'authorityKeyIdentifier',
    false,
    encodeAuthorityKeyIdentifier(subjectKeyIdentifier ?? keyIdentifier(spki)),
  ),
);

const crlDistributionPoints = remembered((urls: readonly string[]) =>
  extension('crlDistributionPoints', false, encodeCrlDistributionPoints(urls)),
);

const authorityInfoAccess = remembered((caIssuers: readonly string[]) =>
  extension('authorityInfoAccess', false, encodeAuthorityInfoAccess({ caIssuers })),
);

function extension(name: keyof typeof extensionOids, critical: boolean, value: Uint8Array): Extension {
  return { oid: extensionOids[name], critical, value };
}
