/** Object identifiers by their ASN.1 names. Extensions, extended key usages and attribute types have tables of their own. */
export const oids = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  mgf1: '1.2.840.113549.1.1.8',
  rsassaPss: '1.2.840.113549.1.1.10',
  sha256WithRsaEncryption: '1.2.840.113549.1.1.11',
  sha384WithRsaEncryption: '1.2.840.113549.1.1.12',
  sha512WithRsaEncryption: '1.2.840.113549.1.1.13',
  ecPublicKey: '1.2.840.10045.2.1',
  prime256v1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  secp521r1: '1.3.132.0.35',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  ed25519: '1.3.101.112',
  mlDsa44: '2.16.840.1.101.3.4.3.17',
  mlDsa65: '2.16.840.1.101.3.4.3.18',
  mlDsa87: '2.16.840.1.101.3.4.3.19',
  /** Of messages only, and only where a template names it for old devices. */
  sha1: '1.3.14.3.2.26',
  sha1WithRsaEncryption: '1.2.840.113549.1.1.5',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',

  /** CMS content types (RFC 5652). */
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',

  /** Attributes of a certification request (RFC 2985 section 5.4). */
  challengePassword: '1.2.840.113549.1.9.7',
  unstructuredName: '1.2.840.113549.1.9.2',
  /** Challenges that took the place of challengePassword (RFC 7894). */
  otpChallenge: '1.2.840.113549.1.9.16.2.56',
  revocationChallenge: '1.2.840.113549.1.9.16.2.57',
  extensionRequest: '1.2.840.113549.1.9.14',
  /** RFC 8551 section 2.5.2. */
  /** id-aa-attestation of draft-ietf-lamps-csr-attestation: the attribute of a request that holds evidence of its key. */
  attestation: '1.2.840.113549.1.9.16.2.59',
  smimeCapabilities: '1.2.840.113549.1.9.15',
  /** Which key a generated private key is to be encrypted with (RFC 4108 section 2.2.5, RFC 7030 section 4.4.1). */
  decryptKeyID: '1.2.840.113549.1.9.16.2.37',
  asymmDecryptKeyID: '1.2.840.113549.1.9.16.2.54',
  /** The name that a renewed certificate is to have (RFC 6402 section 2.8). */
  changeSubjectName: '1.3.6.1.5.5.7.7.36',
  /** What EST asks of a request (RFC 9908 section 3.4). */
  certificationRequestInfoTemplate: '1.2.840.113549.1.9.16.2.61',
  extensionReqTemplate: '1.2.840.113549.1.9.16.2.62',
  /** szOID_CERT_EXTENSIONS: Microsoft's extensionRequest. */
  msCertExtensions: '1.3.6.1.4.1.311.2.1.14',

  /** szOID_NTDS_CA_SECURITY_EXT: the Windows account a certificate signs in to. */
  msSid: '1.3.6.1.4.1.311.25.2',
  /** szOID_ENROLL_CERTTYPE: a Microsoft template by name. */
  msTemplateName: '1.3.6.1.4.1.311.20.2',
  /** szOID_CERTIFICATE_TEMPLATE: a Microsoft template by OID. */
  msTemplate: '1.3.6.1.4.1.311.21.7',
  /** szOID_APPLICATION_CERT_POLICIES and its relatives: Microsoft's extendedKeyUsage, policyMappings and policyConstraints. */
  msApplicationPolicies: '1.3.6.1.4.1.311.21.10',
  msApplicationPolicyMappings: '1.3.6.1.4.1.311.21.11',
  msApplicationPolicyConstraints: '1.3.6.1.4.1.311.21.12',
  /** User principal name, an otherName. */
  msUserPrincipalName: '1.3.6.1.4.1.311.20.2.3',

  /** A device by its maker and serial number, an otherName (RFC 4108 section 5). */
  permanentIdentifier: '1.3.6.1.5.5.7.8.3',
  /** TPMs in directory names (EK Credential Profile section 3.2.9). */
  tpmManufacturer: '2.23.133.2.1',
  tpmModel: '2.23.133.2.2',
  tpmVersion: '2.23.133.2.3',
  hardwareModuleName: '1.3.6.1.5.5.7.8.4',

  netscapeCertType: '2.16.840.1.113730.1.1',
  /** RFC 3820 section 3.8. */
  proxyCertInfo: '1.3.6.1.5.5.7.1.14',
  /** RFC 6960 section 4.2.2.2.1. */
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',

  /** Access methods of authorityInfoAccess. */
  ocsp: '1.3.6.1.5.5.7.48.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
} as const;

/** Microsoft's SID as a SAN URI: the other way to name the Windows account a certificate signs in to. */
export const sidUriPrefix = 'tag:microsoft.com,2022-09-14:sid:';

export const extensionOids = {
  subjectDirectoryAttributes: '2.5.29.9',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  subjectInfoAccess: '1.3.6.1.5.5.7.1.11',
} as const;

/** Extended key usages by name (RFC 5280 section 4.2.1.12, RFC 6402, RFC 9809 and the vendors' own). */
export const extendedKeyUsages = {
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ipsecEndSystem: '1.3.6.1.5.5.7.3.5',
  ipsecTunnel: '1.3.6.1.5.5.7.3.6',
  ipsecUser: '1.3.6.1.5.5.7.3.7',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
  eapOverPPP: '1.3.6.1.5.5.7.3.13',
  eapOverLAN: '1.3.6.1.5.5.7.3.14',
  ipsecIKE: '1.3.6.1.5.5.7.3.17',
  sshClient: '1.3.6.1.5.5.7.3.21',
  cmcCA: '1.3.6.1.5.5.7.3.27',
  cmcRA: '1.3.6.1.5.5.7.3.28',
  cmcArchive: '1.3.6.1.5.5.7.3.29',
  documentSigning: '1.3.6.1.5.5.7.3.36',
  kerberosPkinitClient: '1.3.6.1.5.2.3.4',
  msSmartcardLogon: '1.3.6.1.4.1.311.20.2.2',
  msCertificateRequestAgent: '1.3.6.1.4.1.311.20.2.1',
  tcgEndorsementKey: '2.23.133.8.1',
  tcgAttestationIdentityKey: '2.23.133.8.3',
} as const;
