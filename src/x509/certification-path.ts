import type { Certificate } from './certificate.ts';
import { isSignedBy, mayFollow, mayIssue, namesIssuer, pathLength } from './certification-step.ts';
import { matchesName } from './name-matching.ts';
import { equalBytes } from './octets.ts';

const maximumPath = 8;
const maximumSent = 16;
/** What a stranger's pile of certificates may cost: the signatures of the longest path, and one more. */
const maximumVerifications = 8;

/**
 * A path from `leaf`, which is its first, up to a certificate of `trusted`, which is its last and need not be self-signed;
 * null where none verifies (RFC 5280 section 6). What is trusted is so byte for byte; a leaf that is there is a path of one.
 * Above the leaf every certificate must be a CA, the trusted one too. `sent` is in any order and may hold what does not
 * belong; more than 16 of them are no path. Of several paths it is the shortest. Dates, revocation and the purposes of
 * extendedKeyUsage are the caller's: nothing here looks at the clock.
 */
export function findCertificationPath(
  leaf: Certificate,
  sent: readonly Certificate[],
  trusted: readonly Certificate[],
): readonly Certificate[] | null {
  if (isAmong(leaf, trusted)) return [leaf];
  if (trusted.length === 0 || sent.length > maximumSent || !mayFollow(leaf)) return null;
  const between = sent.filter(
    (each, i) => mayIssue(each) && mayFollow(each) && !isAmong(each, [leaf, ...trusted, ...sent.slice(0, i)]),
  );
  const heights = heightsAbove(leaf, between);
  const below = [...heights.keys()];
  const anchors = trusted.filter((each) => mayIssue(each) && below.some((last) => namesIssuer(last, each)));
  const search = { heights, verified: [] };
  for (let length = 2; length <= maximumPath; length += 1) {
    for (const anchor of anchors) {
      const path = downwards([anchor], pathLength(anchor), length, search);
      if (path !== null) return path.toReversed();
    }
  }
  return null;
}

interface Search {
  /** By names and key identifiers alone: the leaf is 0, whatever may have issued it is 1, and so on. The lowest first. */
  readonly heights: ReadonlyMap<Certificate, number>;
  /** Each signature is verified once, and it is paid for once. */
  readonly verified: { readonly below: Certificate; readonly issuer: Certificate; readonly good: boolean }[];
}

/** Breadth first, and no signature is verified: what leads nowhere costs nothing. */
function heightsAbove(leaf: Certificate, between: readonly Certificate[]): ReadonlyMap<Certificate, number> {
  const heights = new Map([[leaf, 0]]);
  for (const [below, height] of heights) {
    for (const issuer of between) {
      // What is added while a Map is iterated comes last.
      if (!heights.has(issuer) && namesIssuer(below, issuer)) heights.set(issuer, height + 1);
    }
  }
  return heights;
}

/**
 * The trusted certificate first, the leaf last. What nobody trusted has issued is never gone on from, so that a forged path costs one signature,
 * its topmost. `following` is how many CAs may follow that are not self-issued. A certificate is once in a path, so there is no loop.
 */
function downwards(
  path: readonly Certificate[],
  following: number,
  length: number,
  search: Search,
): readonly Certificate[] | null {
  const issuer = path.at(-1)!;
  for (const [below, height] of search.heights) {
    if (path.length + 1 + height > length || path.includes(below) || !namesIssuer(below, issuer)) continue;
    // RFC 5280 section 6.1.4 l to m. The last certificate is not counted (section 4.2.1.9).
    const left = isSelfIssued(below) ? following : following - 1;
    if (height > 0 && left < 0) continue;
    if (!verifies(below, issuer, search)) continue;
    const longer = [...path, below];
    if (height === 0) return longer;
    const found = downwards(longer, Math.min(left, pathLength(below)), length, search);
    if (found !== null) return found;
  }
  return null;
}

/** Whether `issuer` signed it. Where nothing is left to be spent, the answer is no. */
function verifies(below: Certificate, issuer: Certificate, { verified }: Search): boolean {
  const known = verified.find((each) => each.below === below && each.issuer === issuer);
  if (known !== undefined) return known.good;
  if (verified.length === maximumVerifications) return false;
  const good = isSignedBy(below, issuer);
  verified.push({ below, issuer, good });
  return good;
}

function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return matchesName(issuer, subject);
}

function isAmong({ der }: Certificate, certificates: readonly Certificate[]): boolean {
  return certificates.some((each) => equalBytes(each.der, der));
}
