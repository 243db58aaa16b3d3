import { type Certificate, findCertificationPath, matchesName, parseBase64Certificate } from '#x509';
import { findAndroidPath } from './android/chain.ts';
import type { TrustAnchors } from './appraisal.ts';
import type { EvidenceFormat } from './evidence.ts';

interface Parsed {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
}

/** By the anchors themselves: configuration that changes is another value. */
const parsed = new WeakMap<TrustAnchors, Parsed>();

/** What was sent leads to so many certificates of the anchors at most, beside which there is room for ten that were sent. */
const maximumIntermediates = 6;

/** The first anchors of the format that the certificates, the leaf first, lead to, and the path with its root. Throws as `parseBase64Certificate` for anchors that do not parse. */
export function findAnchoredPath(
  format: EvidenceFormat,
  certificates: readonly Certificate[],
  anchors: readonly TrustAnchors[],
): { readonly anchors: TrustAnchors; readonly path: readonly Certificate[] } | null {
  for (const each of anchors) {
    if (each.format !== format) continue;
    const { roots, intermediates } = parsedAnchors(each);
    const path =
      format === 'android-key'
        ? findAndroidPath(certificates, roots)
        : findPath(certificates, roots, intermediates);
    if (path !== null) return { anchors: each, path };
  }
  return null;
}

function parsedAnchors(anchors: TrustAnchors): Parsed {
  const known = parsed.get(anchors);
  if (known !== undefined) return known;
  const { roots, intermediates } = anchors;
  const value = {
    roots: roots.map(parseBase64Certificate),
    intermediates: intermediates.map(parseBase64Certificate),
  };
  parsed.set(anchors, value);
  return value;
}

/** A root vouches for others: a leaf that is itself among the roots has no path. */
function findPath(
  [leaf, ...sent]: readonly Certificate[],
  roots: readonly Certificate[],
  intermediates: readonly Certificate[],
): readonly Certificate[] | null {
  if (leaf === undefined) return null;
  const path = findCertificationPath(leaf, [...sent, ...above([leaf, ...sent], intermediates)], roots);
  return path === null || path.length < 2 ? null : path;
}

/** The intermediates that may have issued what was sent, or each other, by name: a vendor has hundreds. */
function above(
  certificates: readonly Certificate[],
  intermediates: readonly Certificate[],
): readonly Certificate[] {
  const found = new Set<Certificate>();
  const below = [...certificates];
  for (const { issuer } of below) {
    for (const each of intermediates) {
      if (found.size === maximumIntermediates) return [...found];
      if (found.has(each) || !matchesName(each.subject, issuer)) continue;
      found.add(each);
      below.push(each);
    }
  }
  return [...found];
}
