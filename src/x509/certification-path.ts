import type { Certificate } from './certificate.ts';
import { mayFollow, mayIssue, verifiesUnder } from './certification-step.ts';
import { equalBytes } from './octets.ts';

const maximumPath = 8;
const maximumSent = 16;
/** What a stranger's pile of certificates may cost. Every step of the search pays one, so it bounds the search too. */
const maximumVerifications = 64;

/** The certificates that a path may be built of, and what may still be spent on building it. */
interface Search {
  /** The trusted ones first: they end a path. */
  readonly issuers: readonly Certificate[];
  readonly trusted: readonly Certificate[];
  verifications: number;
}

/**
 * A path from `leaf`, which is its first, up to a certificate of `trusted`, which is its last and need not be self-signed;
 * null where none verifies (RFC 5280 section 6). What is trusted is so byte for byte; a leaf that is there is a path of one.
 * Above the leaf every certificate must be a CA, the trusted one too. `sent` is in any order and may hold what does not
 * belong; more than 16 of them are no path. Dates, revocation and the purposes of extendedKeyUsage are the caller's: nothing
 * here looks at the clock.
 */
export function findCertificationPath(
  leaf: Certificate,
  sent: readonly Certificate[],
  trusted: readonly Certificate[],
): readonly Certificate[] | null {
  if (isAmong(leaf, trusted)) return [leaf];
  if (sent.length > maximumSent || !mayFollow(leaf)) return null;
  const between = sent.filter((each, i) => !isAmong(each, [leaf, ...trusted, ...sent.slice(0, i)]));
  const issuers = [...trusted, ...between].filter(mayIssue);
  return extended([leaf], { issuers, trusted, verifications: maximumVerifications });
}

/** Depth first. A certificate is once in a path, so there is no loop. */
function extended(path: readonly Certificate[], search: Search): readonly Certificate[] | null {
  if (path.length === maximumPath) return null;
  for (const issuer of search.issuers) {
    if (path.includes(issuer) || !verifiesUnder(path, issuer, () => spend(search))) continue;
    const longer = [...path, issuer];
    if (isAmong(issuer, search.trusted)) return longer;
    if (!mayFollow(issuer)) continue;
    const found = extended(longer, search);
    if (found !== null) return found;
  }
  return null;
}

function spend(search: Search): boolean {
  search.verifications -= 1;
  return search.verifications >= 0;
}

function isAmong({ der }: Certificate, certificates: readonly Certificate[]): boolean {
  return certificates.some((each) => equalBytes(each.der, der));
}
