import { SallyportError } from '#errors';
import { parseString } from './character-string.ts';
import { type Der, type DerCursor, readDer } from './der-node.ts';
import { contextConstructed } from './der-tags.ts';
import { type Extension, extensionsOf, findExtension } from './extensions/extension.ts';
import { type GeneralName, parseGeneralNames } from './general-name.ts';
import { type Name, nameOf } from './name.ts';
import { extensionOids, oids } from './oids.ts';
import { verifySignature } from './signature.ts';
import { signedOf } from './signed.ts';

export interface RequestAttribute {
  /** Dotted OID. */
  readonly oid: string;
  /** At least one. */
  readonly values: readonly Der[];
}

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
  /** Dotted OID. */
  readonly signatureAlgorithm: string;
  /** The whole AlgorithmIdentifier. */
  readonly signatureAlgorithmDer: Der;
  readonly signature: Uint8Array;
}

const maximumAttributes = 32;
const maximumValues = 16;
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
    challengePassword: challengePasswordOf(attributes),
    signatureAlgorithm: algorithm.oid,
    signatureAlgorithmDer: algorithm.der,
    signature,
  };
}

/** Proof of possession: whether the request is signed by the key it is for. Throws as `verifySignature` does. */
export function verifyPossession(request: CertificationRequest): boolean {
  return verifySignature(request.signatureAlgorithmDer, request.spki, request.info, request.signature);
}

/** [0] IMPLICIT SET OF Attribute, not optional. Its order is not checked: real clients (strongSwan) leave it unsorted. */
function attributesOf(fields: DerCursor): RequestAttribute[] {
  const set = fields.optional(contextConstructed(0))?.children('attributes');
  if (set === undefined) {
    throw new SallyportError('malformed', 'CertificationRequestInfo: attributes are missing');
  }
  const attributes: RequestAttribute[] = [];
  while (set.more) {
    if (attributes.length === maximumAttributes) {
      throw new SallyportError(
        'too-large',
        `CertificationRequestInfo: more than ${maximumAttributes} attributes`,
      );
    }
    const attribute = attributeOf(set.next().sequence('Attribute'));
    if (attributes.some(({ oid }) => oid === attribute.oid)) {
      throw new SallyportError('malformed', `CertificationRequestInfo: attribute ${attribute.oid} twice`);
    }
    attributes.push(attribute);
  }
  return attributes;
}

function attributeOf(fields: DerCursor): RequestAttribute {
  const oid = fields.next().oid('attribute type');
  const set = fields.next().set('attribute values');
  fields.finish();
  const values = [set.next().der];
  while (set.more) {
    if (values.length === maximumValues) {
      throw new SallyportError('too-large', `attribute ${oid}: more than ${maximumValues} values`);
    }
    values.push(set.next().der);
  }
  return { oid, values };
}

/** Of two lists of wishes one would be judged and the other forgotten: more than one is refused. */
function requestedExtensions(attributes: readonly RequestAttribute[]): Extension[] {
  const requests = attributes.filter(
    ({ oid }) => oid === oids.extensionRequest || oid === oids.msCertExtensions,
  );
  const [request] = requests;
  if (request === undefined) return [];
  if (requests.length > 1) {
    throw new SallyportError('malformed', 'extensions are requested by two attributes');
  }
  return extensionsOf(readDer(singleValue(request)));
}

function challengePasswordOf(attributes: readonly RequestAttribute[]): string | null {
  const attribute = attributes.find(({ oid }) => oid === oids.challengePassword);
  if (attribute === undefined) return null;
  return parseString(readDer(singleValue(attribute)), maximumChallengeBytes, 'challengePassword').value;
}

/** Both are SINGLE VALUE TRUE (RFC 2985 sections 5.4.1 and 5.4.2). */
function singleValue({ oid, values }: RequestAttribute): Der {
  const [value] = values;
  if (value === undefined || values.length > 1) {
    throw new SallyportError('malformed', `attribute ${oid}: must have one value`);
  }
  return value;
}
