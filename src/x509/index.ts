export { type AlgorithmIdentifier, algorithmIdentifierOf } from './algorithm-identifier.ts';
export {
  type CertificateList,
  parseCertificateList,
  verifyCertificateListSignature,
} from './certificate-list.ts';
export {
  type Certificate,
  type TbsCertificate,
  parseBase64Certificate,
  parseCertificate,
  parseTbsCertificate,
  verifyCertificateSignature,
} from './certificate.ts';
export {
  type CertificationRequestInfoFields,
  encodeCertificationRequestInfo,
} from './certification-request-info.ts';
export {
  type CertificationRequest,
  parseCertificationRequest,
  verifyPossession,
} from './certification-request.ts';
export { findCertificationPath } from './certification-path.ts';
export { mayIssue } from './certification-step.ts';
export type { ChangeSubjectName } from './change-subject-name.ts';
export { type StringEncoding, isPrintableText } from './character-string.ts';
export type {
  CsrAttributesWishes,
  GeneralNameWish,
  KeyWish,
  SubjectAttributeWish,
} from './csr-attributes-wishes.ts';
export { encodeCsrAttributes } from './csr-attributes.ts';
export { type DerLimits, defaultDerLimits, listDerLimits } from './der-limits.ts';
export { type Der, DerCursor, DerNode, readDer } from './der-node.ts';
export { contextConstructed, contextPrimitive, tags } from './der-tags.ts';
export { der } from './der-writer.ts';
export { isDeviceName } from './device-name.ts';
export {
  type AuthorityInfoAccess,
  encodeAuthorityInfoAccess,
  encodeCrlDistributionPoints,
  parseAuthorityInfoAccess,
  parseCrlDistributionPoints,
} from './extensions/access-points.ts';
export {
  type BasicConstraints,
  encodeBasicConstraints,
  parseBasicConstraints,
  parseRequestedBasicConstraints,
} from './extensions/basic-constraints.ts';
export {
  encodeCrlNumber,
  encodeReasonCode,
  parseCrlNumber,
  parseReasonCode,
} from './extensions/crl-extensions.ts';
export { type Extension, encodeExtensions, extensionsOf, findExtension } from './extensions/extension.ts';
export {
  encodeAuthorityKeyIdentifier,
  encodeSubjectKeyIdentifier,
  keyIdentifier,
  parseAuthorityKeyIdentifier,
  parseSubjectKeyIdentifier,
} from './extensions/key-identifier.ts';
export { type KeyUsage, encodeKeyUsage, keyUsages, parseKeyUsage } from './extensions/key-usage.ts';
export {
  encodeCertificatePolicies,
  encodeExtendedKeyUsage,
  parseCertificatePolicies,
  parseExtendedKeyUsage,
} from './extensions/oid-list.ts';
export { encodeSubjectAltName, parseSubjectAltName } from './extensions/subject-alt-name.ts';
export { formatGeneralName } from './general-name-text.ts';
export {
  type GeneralName,
  encodeGeneralNames,
  generalNameKey,
  parseGeneralNames,
  sameGeneralNames,
} from './general-name.ts';
export {
  type HardwareModuleName,
  hardwareModuleNameOf,
  encodeHardwareModuleName,
  hardwareSerialNumberOctets,
  hardwareSerialNumberOf,
  hardwareSerialNumberText,
} from './hardware-module-name.ts';
export { canonicalHostName } from './host-name.ts';
export { canonicalIpAddress, formatIpAddress, parseIpAddress } from './ip-address.ts';
export { attributeEncoding, attributeTypeOid, attributeTypes } from './name-attributes.ts';
export { matchesName, matchingKey } from './name-matching.ts';
export { formatName } from './name-text.ts';
export {
  type Name,
  type NameAttribute,
  type Rdn,
  buildName,
  encodeName,
  nameKey,
  parseName,
  sameName,
} from './name.ts';
export { compareBytes, equalBytes } from './octets.ts';
export { isObjectIdentifier } from './oid.ts';
export { extendedKeyUsages, extensionOids, oids, sidUriPrefix } from './oids.ts';
export { derToPem, pemToDer } from './pem.ts';
export {
  encodePermanentIdentifier,
  type PermanentIdentifier,
  permanentIdentifierOf,
} from './permanent-identifier.ts';
export { parsePublicKey, type PublicKey } from './public-key.ts';
export {
  type KeyWeakness,
  type PublicKeyFacts,
  inspectPublicKey,
  maximumRsaBits,
  minimumRsaBits,
} from './public-key-facts.ts';
export type { RequestAttribute } from './request-attributes.ts';
export { isSerialNumber } from './serial-number.ts';
export {
  type SignatureScheme,
  parseSignatureAlgorithm,
  signatureAlgorithmIdentifier,
} from './signature-algorithm.ts';
export {
  signatureVerifier,
  type SignatureVerifier,
  verifyRsaSha1Signature,
  verifySignature,
  verifySignatureOfMuch,
} from './signature.ts';
export { derFromBer } from './der-from-ber.ts';
export { assembleSigned } from './signed.ts';
export { type SubjectPublicKeyInfo, subjectPublicKeyInfoOf } from './subject-public-key-info.ts';
export {
  type TbsCertListFields,
  type RevokedCertificate,
  encodeRevokedCertificates,
  encodeTbsCertList,
} from './tbs-cert-list.ts';
export { type TbsCertificateFields, encodeTbsCertificate } from './tbs-certificate.ts';
export { withoutSecrets } from './without-secrets.ts';
