import { attestationKey } from './attestation-key.ts';
import { authorityInfoAccess } from './authority-info-access.ts';
import { authorityKeyIdentifier } from './authority-key-identifier.ts';
import { basicConstraints } from './basic-constraints.ts';
import { certificatePolicies } from './certificate-policies.ts';
import { crlDistributionPoints } from './crl-distribution-points.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import { extendedKeyUsageSpecific } from './extended-key-usage-specific.ts';
import { extensionsKnown } from './extensions-known.ts';
import { extensionsOfTemplate } from './extensions-of-template.ts';
import { issuerName } from './issuer-name.ts';
import { keyAlgorithm } from './key-algorithm.ts';
import { keyAsPlanned } from './key-as-planned.ts';
import { keyNotIssuers } from './key-not-issuers.ts';
import { keyUsage } from './key-usage.ts';
import { keyUsageEndEntity } from './key-usage-end-entity.ts';
import { keyUsageServesPurpose } from './key-usage-serves-purpose.ts';
import { serialNumber } from './serial-number.ts';
import { serialNumberAsPlanned } from './serial-number-as-planned.ts';
import { signatureAlgorithm } from './signature-algorithm.ts';
import { subjectAltNameAsPlanned } from './subject-alt-name-as-planned.ts';
import { subjectAltNameCritical } from './subject-alt-name-critical.ts';
import { subjectAltNameSid } from './subject-alt-name-sid.ts';
import { subjectAltNameValues } from './subject-alt-name-values.ts';
import { subjectAsPlanned } from './subject-as-planned.ts';
import { subjectKeyIdentifier } from './subject-key-identifier.ts';
import { subjectNotIssuer } from './subject-not-issuer.ts';
import { subjectPresent } from './subject-present.ts';
import { subjectValues } from './subject-values.ts';
import { validity } from './validity.ts';
import { validityAsPlanned } from './validity-as-planned.ts';
import { validityOfTemplate } from './validity-of-template.ts';
import { validityWithinIssuer } from './validity-within-issuer.ts';
import type { LintRule } from './lint-rule.ts';

/** All of them, in the order of the certificate's fields. */
export const lintRules: readonly LintRule[] = [
  serialNumber,
  serialNumberAsPlanned,
  signatureAlgorithm,
  issuerName,
  validity,
  validityAsPlanned,
  validityWithinIssuer,
  validityOfTemplate,
  subjectPresent,
  subjectAsPlanned,
  subjectNotIssuer,
  subjectValues,
  keyAsPlanned,
  keyAlgorithm,
  keyNotIssuers,
  extensionsKnown,
  extensionsOfTemplate,
  basicConstraints,
  keyUsage,
  keyUsageEndEntity,
  keyUsageServesPurpose,
  extendedKeyUsage,
  extendedKeyUsageSpecific,
  attestationKey,
  subjectKeyIdentifier,
  authorityKeyIdentifier,
  subjectAltNameAsPlanned,
  subjectAltNameCritical,
  subjectAltNameValues,
  subjectAltNameSid,
  certificatePolicies,
  crlDistributionPoints,
  authorityInfoAccess,
];
