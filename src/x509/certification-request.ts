import { SallyportError } from '#errors';
import { type ChangeSubjectName, changeSubjectNameOf } from './change-subject-name.ts';
import { parseString } from './character-string.ts';
import { decryptKeyIdentifierOf } from './decrypt-key-identifier.ts';
import { type Der, type DerNode, readDer } from './der-node.ts';
import { type Extension, findExtension, requestedExtensionsOf } from './extensions/extension.ts';
import { type GeneralName, parseGeneralNames } from './general-name.ts';
import { type Name, nameOf } from './name.ts';
import { extensionOids, oids } from './oids.ts';
import { type RequestAttribute, attributesOf, singleValueOf } from './request-attributes.ts';
import { verifySignature } from './signature.ts';
import { signedOf } from './signed.ts';
import { smimeCapabilitiesOf } from './smime-capabilities.ts';

/** A parsed PKCS #10 request. Byte values are views of `der`. */
export interface CertificationRequest {
  readonly der: Der;
  /** CertificationRequestInfo: what is signed. */
  readonly info: Der;
  readonly subject: Name;
  readonly subjectDer: Der;
  readonly spki: Der;
  readonly attributes: readonly RequestAttribute[];
  /** Requested by extensionRequest or Microsoft's form of it; empty where there is neither. */
  readonly extensions: readonly Extension[];
  /** Of the requested extensions; empty where there is none. */
  readonly subjectAltName: readonly GeneralName[];
  readonly challengePassword: string | null;
  /** RFC 6402 section 2.8; RFC 7030 section 4.2.2 has it for reenrollment. */
  readonly changeSubjectName: ChangeSubjectName | null;
  /** The key, shared (RFC 7030 section 4.4.1.1) or the client's (4.4.1.2), that a generated private key is to be encrypted with. */
  readonly decryptKeyIdentifier: Uint8Array | null;
  readonly asymmetricDecryptKeyIdentifier: Uint8Array | null;
  /** AttestationBundle (draft-ietf-lamps-csr-attestation): evidence of the key, unread. */
  readonly attestationBundle: Der | null;
  /** Dotted OIDs, the client's first choice first. */
  readonly smimeCapabilities: readonly string[] | null;
  /** Dotted OID. */
  readonly signatureAlgorithm: string;
  /** The whole AlgorithmIdentifier. */
  readonly signatureAlgorithmDer: Der;
  readonly signature: Uint8Array;
}

/** PKCS #9 says 255 characters; Intune's challenges have some two thousand. */
const maximumChallengeBytes = 8192;

/** RFC 2986 section 4. Throws `malformed`, `unsupported` or `too-large`. The signature is not verified. */
export function parseCertificationRequest(bytes: Der): CertificationRequest {
  const node = readDer(bytes);
  const { toBeSigned, algorithm, signature } = signedOf(node, 'CertificationRequest');
  const fields = toBeSigned.sequence('CertificationRequestInfo');
  if (fields.next().smallInteger('version') !== 0) {
    throw new SallyportError('unsupported', 'CertificationRequestInfo: only version 0 exists');
  }
  const subject = fields.next();
  const spki = fields.next().der;
  const attributes = attributesOf(fields);
  fields.finish();
  const extensions = requestedExtensions(attributes);
  const subjectAltName = findExtension(extensions, extensionOids.subjectAltName);
  return {
    der: node.der,
    info: toBeSigned.der,
    subject: nameOf(subject),
    subjectDer: subject.der,
    spki,
    attributes,
    extensions,
    subjectAltName: subjectAltName === null ? [] : parseGeneralNames(subjectAltName),
    challengePassword: singleValueOf(attributes, oids.challengePassword, challengePasswordOf),
    changeSubjectName: singleValueOf(attributes, oids.changeSubjectName, changeSubjectNameOf),
    decryptKeyIdentifier: singleValueOf(attributes, oids.decryptKeyID, decryptKeyIdentifierOf),
    asymmetricDecryptKeyIdentifier: singleValueOf(attributes, oids.asymmDecryptKeyID, decryptKeyIdentifierOf),
    attestationBundle: singleValueOf(attributes, oids.attestation, ({ der }) => der),
    smimeCapabilities: singleValueOf(attributes, oids.smimeCapabilities, smimeCapabilitiesOf),
    signatureAlgorithm: algorithm.oid,
    signatureAlgorithmDer: algorithm.der,
    signature,
  };
}

/** Proof of possession: whether the request is signed by the key it is for. Throws as `verifySignature` does. */
export function verifyPossession(request: CertificationRequest): boolean {
  return verifySignature(request.signatureAlgorithmDer, request.spki, request.info, request.signature);
}

/** Of two lists of wishes one would be judged and the other forgotten: more than one is refused. */
function requestedExtensions(attributes: readonly RequestAttribute[]): Extension[] {
  const request = singleValueOf(attributes, oids.extensionRequest, requestedExtensionsOf);
  const microsoft = singleValueOf(attributes, oids.msCertExtensions, requestedExtensionsOf);
  if (request !== null && microsoft !== null) {
    throw new SallyportError('malformed', 'extensions are requested by two attributes');
  }
  return request ?? microsoft ?? [];
}

/** A type of string that is none is `unsupported`. */
function challengePasswordOf(node: DerNode): string {
  return parseString(node, maximumChallengeBytes, 'challengePassword').value;
}
