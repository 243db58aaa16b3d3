import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import {
  type Certificate,
  type Der,
  matchesName,
  matchingKey,
  type Name,
  parseBase64Certificate,
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
  readonly name: Name;
  /** The digest of its name, by which lists are asked. */
  readonly issuer: string;
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
      matchesName(ca.subject, list.issuer) &&
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
    name: list.issuer,
    issuer: nameDigest(list.issuer),
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    serialNumbers: new Set(list.revoked.map(({ serialNumber }) => serialNumber)),
  };
}

/**
 * RFC 5280 section 6.3.3 (b) (1): a list is about what names its issuer, as names match where a path is found (section 7.1). Compared by octets, whoever has the key of a
 * CA that was taken back would write its name in other letters. Older entries have the digest of the octets.
 */
export function isAbout(
  { issuer }: Pick<IssuerList, 'issuer'>,
  certificate: Pick<Certificate, 'issuer' | 'issuerDer'>,
): boolean {
  return issuer === nameDigest(certificate.issuer) || issuer === hash('sha256', certificate.issuerDer);
}

function nameDigest(name: Name): string {
  return hash('sha256', matchingKey(name));
}

/**
 * Of each name and key the newest list, with all that older ones of them list: files of years lie side by side, and what was revoked once is not believed again
 * because a newer list leaves it out.
 */
export function newestLists(lists: readonly RevocationList[]): readonly RevocationList[] {
  const newest = new Map<string, RevocationList>();
  for (const list of lists.toSorted((left, right) => left.thisUpdate - right.thisUpdate)) {
    const key = `${list.signer} ${list.issuer}`;
    const older = newest.get(key)?.serialNumbers ?? new Set();
    const hasAll = older.isSubsetOf(list.serialNumbers);
    newest.set(key, hasAll ? list : { ...list, serialNumbers: list.serialNumbers.union(older) });
  }
  return [...newest.values()];
}

/**
 * What lists of issuers say of the certificates of evidence, and of `intermediates`, which devices need not send. Whether a certificate is on the path, and whether a
 * list is old, is not asked here.
 */
export function issuerListsOf(
  lists: readonly RevocationList[],
  intermediates: readonly Certificate[],
  { certificates }: Pick<Examination, 'certificates'>,
): IssuerLists {
  const asked = certificates.map(parseBase64Certificate);
  // What is added while it is gone through comes last.
  for (const { issuer } of asked) {
    asked.push(...intermediates.filter((each) => matchesName(each.subject, issuer) && !asked.includes(each)));
  }
  const found = lists.flatMap(({ issuer, serialNumbers, ...list }): IssuerList[] => {
    const issued = asked.filter((each) => isAbout({ issuer }, each));
    if (issued.length === 0) return [];
    const { sha256, signer, thisUpdate, nextUpdate } = list;
    const revoked = issued.flatMap(({ serialNumber, der }) =>
      serialNumbers.has(serialNumber) ? [{ serialNumber, certificate: hash('sha256', der) }] : [],
    );
    return [{ list: sha256, signer, issuer, thisUpdate, nextUpdate, revoked }];
  });
  return { issuers: found, complete: true };
}

/** Of lists, and of certificates on them: far more than a path has, and little in an entry. */
const maximumLists = 16;
const maximumListed = 32;

/** As it is recorded. A client that sends what leads to more has sent it beside its path, and is not judged by a part. */
export function recordableLists({ issuers, complete }: IssuerLists): IssuerLists {
  const listed = issuers.reduce((sum, { revoked }) => sum + revoked.length, 0);
  if (issuers.length <= maximumLists && listed <= maximumListed) return { issuers, complete };
  const some = issuers.slice(0, maximumLists);
  return { issuers: some.map((each) => ({ ...each, revoked: each.revoked.slice(0, 2) })), complete: false };
}
