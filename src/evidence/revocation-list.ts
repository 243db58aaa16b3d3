import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import {
  type Certificate,
  type Der,
  equalBytes,
  parseCertificate,
  parseCertificateList,
  verifyCertificateListSignature,
} from '#x509';
import type { IssuerList, IssuerLists } from './appraisal.ts';
import type { Examination } from './examination.ts';

/** A CRL (RFC 5280 section 5) whose signature holds. */
export interface RevocationList {
  readonly sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo of whoever signed it. */
  readonly signer: string;
  /** Its name, DER. */
  readonly issuer: Der;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** As certificates have their serial numbers. */
  readonly serialNumbers: ReadonlySet<string>;
}

/**
 * The signer must be one of `cas`: what evidence brings along vouches for no list. Lists of a part, or of changes, mark themselves and are not read. Throws
 * `malformed`, `unsupported`, `too-large`, and `bad-signature` where none of them has signed it.
 */
export function parseRevocationList(bytes: Der, cas: readonly Certificate[]): RevocationList {
  const list = parseCertificateList(bytes);
  const signer = cas.find(
    (ca) =>
      ca.isCa &&
      (ca.keyUsage?.includes('cRLSign') ?? true) &&
      equalBytes(ca.subjectDer, list.issuerDer) &&
      verifyCertificateListSignature(list, ca.spki),
  );
  if (signer === undefined) {
    throw new SallyportError(
      'bad-signature',
      'none of the CAs that are configured for its format has signed it',
    );
  }
  return {
    sha256: hash('sha256', list.der),
    signer: hash('sha256', signer.spki),
    issuer: list.issuerDer,
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    serialNumbers: new Set(list.revoked.map(({ serialNumber }) => serialNumber)),
  };
}

/** So many are recorded: a path is no longer, and a list may be there with the one before. */
const maximumLists = 8;

/**
 * What lists of issuers say of the certificates of evidence, and of `intermediates`, which devices need not send. Whether a certificate is on the path, and whether a
 * list is old, is not asked here.
 */
export function issuerListsOf(
  lists: readonly RevocationList[],
  intermediates: readonly Certificate[],
  { certificates }: Pick<Examination, 'certificates'>,
): IssuerLists {
  const asked = certificates.map((each) => parseCertificate(new Uint8Array(Buffer.from(each, 'base64'))));
  // What is added while it is gone through comes last.
  for (const { issuerDer } of asked) {
    asked.push(
      ...intermediates.filter((each) => equalBytes(each.subjectDer, issuerDer) && !asked.includes(each)),
    );
  }
  const found = lists.flatMap(({ issuer, serialNumbers, ...list }): IssuerList[] => {
    const issued = asked.filter(({ issuerDer }) => equalBytes(issuerDer, issuer));
    if (issued.length === 0) return [];
    const { sha256, signer, thisUpdate, nextUpdate } = list;
    const revoked = issued.flatMap(({ serialNumber, der }) =>
      serialNumbers.has(serialNumber) ? [{ serialNumber, certificate: hash('sha256', der) }] : [],
    );
    return [{ list: sha256, signer, issuer: hash('sha256', issuer), thisUpdate, nextUpdate, revoked }];
  });
  return { issuers: found.slice(0, maximumLists), complete: found.length <= maximumLists };
}
