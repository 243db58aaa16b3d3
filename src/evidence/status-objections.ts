import { hash } from 'node:crypto';
import type { Certificate } from '#x509';
import type { IssuerLists, RevocationStatus } from './appraisal.ts';
import type { EvidenceFault } from './examination.ts';
import { objectUnless } from './objection.ts';
import { isAbout } from './revocation-list.ts';

/**
 * What lists of revoked certificates have against a path, its root last; null: there is no path. Whatever a list says of a certificate, REVOKED, SUSPENDED or on hold,
 * it is refused. A list from the future is as one too old. `maximumAgeSeconds`: absent, a list may be old or lacking; Infinity, old.
 */
export function statusObjections(
  status: RevocationStatus | IssuerLists | null,
  path: readonly Certificate[] | null,
  maximumAgeSeconds: number | undefined,
  time: number,
): readonly EvidenceFault[] {
  if (status !== null && 'issuers' in status) {
    return path === null ? [] : issuersObjections(status, path, maximumAgeSeconds, time);
  }
  const isCurrent =
    maximumAgeSeconds === undefined ||
    (status !== null && Math.abs(time - status.at) <= maximumAgeSeconds * 1000);
  const listed = (status?.revoked ?? []).map(({ serialNumber, status: said }) => ({
    check: 'revocation',
    detail: `certificate ${serialNumber} is ${said}`,
  }));
  return [
    ...objectUnless(isCurrent, 'revocation-list', 'there is no list of revoked certificates, or an old one'),
    ...listed,
  ];
}

/** A maker's clock may be so far before ours: what says that it is of later is of no time that is known. */
const aheadAtMost = 10 * 60_000;

/** RFC 5280 section 6.3.3: each certificate below the trust anchor, by lists that the issuer on the path has signed. */
function issuersObjections(
  { issuers, complete }: IssuerLists,
  path: readonly Certificate[],
  maximumAgeSeconds: number | undefined,
  time: number,
): readonly EvidenceFault[] {
  return [
    ...objectUnless(complete, 'revocation-list', 'more lists may be about it than are recorded'),
    ...path.slice(0, -1).flatMap((asked, at) => {
      const { der, serialNumber } = asked;
      const [certificate, signer] = [hash('sha256', der), hash('sha256', path[at + 1]!.spki)];
      const lists = issuers.filter((each) => each.signer === signer && isAbout(each, asked));
      const isListed = lists.some(({ revoked }) => revoked.some((each) => each.certificate === certificate));
      const isCurrent =
        maximumAgeSeconds === undefined ||
        lists.some(
          ({ thisUpdate, nextUpdate }) =>
            maximumAgeSeconds === Infinity ||
            (time <= nextUpdate &&
              thisUpdate - time <= aheadAtMost &&
              time - thisUpdate <= maximumAgeSeconds * 1000),
        );
      return [
        ...objectUnless(
          isCurrent,
          'revocation-list',
          `its issuer has no list of revoked certificates about certificate ${serialNumber}, or an old one`,
        ),
        ...objectUnless(!isListed, 'revocation', `certificate ${serialNumber} is revoked by its issuer`),
      ];
    }),
  ];
}
