import { type Certificate, matchesName, mayIssue, verifyCertificateSignature } from '#x509';
import { isSallyportError } from '#errors';
import type { TrustAnchors } from './appraisal.ts';
import { keyProblem } from './key-problem.ts';
import { type KnownRoot, knownRootOf } from './known-roots.ts';

/** What is to be said against a certificate as a root of a set. */
export interface RootConcern {
  readonly check:
    | 'root-format'
    | 'root-level'
    | 'root-unknown'
    | 'root-ca'
    | 'root-key'
    | 'root-signature'
    | 'root-begins'
    | 'root-ended'
    | 'root-ends-soon';
  readonly detail: string;
}

/** Long enough for an operator to get the next one, and for devices to be seen with it. */
const soonMilliseconds = 90 * 86_400_000;

export function rootConcerns(
  certificate: Certificate,
  { format, level }: Pick<TrustAnchors, 'format' | 'level'>,
  time: number,
): readonly RootConcern[] {
  return [
    ...vendorConcerns(knownRootOf(certificate), { format, level }),
    ...caConcerns(certificate),
    ...dateConcerns(certificate, time),
  ];
}

/** A root of one format never vouches for another, and what the vendor makes is of the level that it is of. */
export function vendorConcerns(
  known: KnownRoot | null,
  { format, level }: Pick<TrustAnchors, 'format' | 'level'>,
): RootConcern[] {
  if (known === null) return [{ check: 'root-unknown', detail: 'is no root that is known here' }];
  const { vendor, name, formats } = known;
  const concerns: RootConcern[] = [];
  if (!formats.includes(format)) {
    concerns.push({
      check: 'root-format',
      detail: `is ${vendor}'s ${name}, which vouches for ${formats.join(' and ')}, and not for ${format}`,
    });
  }
  if (known.level !== null && known.level !== level) {
    concerns.push({
      check: 'root-level',
      detail: `is ${vendor}'s ${name}, below which everything is of level ${known.level}, and not ${level ?? 'an unknown one'}`,
    });
  }
  return concerns;
}

/** What the search for a path would pass over, and keys that others can make signatures of. */
function caConcerns(certificate: Certificate): RootConcern[] {
  const concerns: RootConcern[] = [];
  if (!mayIssue(certificate)) {
    const detail =
      'is no CA (basicConstraints, keyUsage), or one with name constraints, which are not followed';
    concerns.push({ check: 'root-ca', detail });
  }
  const key = keyProblem(certificate);
  if (key !== null) concerns.push({ check: 'root-key', detail: key });
  else if (rootSignature(certificate) === 'forged') {
    concerns.push({
      check: 'root-signature',
      detail: 'names itself as its issuer, and its signature does not verify',
    });
  }
  return concerns;
}

function dateConcerns({ notBefore, notAfter }: Certificate, time: number): RootConcern[] {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  if (time < notBefore) return [{ check: 'root-begins', detail: `begins on ${day(notBefore)}` }];
  if (time > notAfter) return [{ check: 'root-ended', detail: `ended on ${day(notAfter)}` }];
  return notAfter - time < soonMilliseconds
    ? [{ check: 'root-ends-soon', detail: `ends on ${day(notAfter)}` }]
    : [];
}

/**
 * `self`, `forged`: by its own key, or not, where it names itself as its issuer. `unread`: in an algorithm that is not verified here, such as Intel's of 2019, ECDSA with a
 * NULL. `another`: an issuer of another name is above it.
 */
export type RootSignature = 'self' | 'forged' | 'unread' | 'another';

/** Nothing hangs on a root's signature but that one who forged it is not who he says (RFC 5280 section 6.1: trust anchors are no part of the path). */
export function rootSignature(certificate: Certificate): RootSignature {
  if (!matchesName(certificate.issuer, certificate.subject)) return 'another';
  try {
    return verifyCertificateSignature(certificate, certificate.spki) ? 'self' : 'forged';
  } catch (error) {
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return 'unread';
  }
}
