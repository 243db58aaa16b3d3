import { SallyportError } from '#errors';
import {
  type AnchoredFormat,
  type AssuranceLevel,
  knownRootOf,
  type RootConcern,
  rootConcerns,
} from '#evidence';
import { type Certificate, derToPem, findCertificationPath, formatName, matchesName, pemToDer } from '#x509';
import { sha256Of } from '../trust/fingerprint.ts';

export interface AskedSet {
  readonly name: string;
  readonly format: AnchoredFormat;
  readonly level: AssuranceLevel | null;
  /** SHA-256 of what an operator has compared, lower-case hexadecimal. */
  readonly fingerprints: readonly string[];
}

/** A set of roots that may be trusted, for `attestation.roots`. */
export interface NewSet {
  readonly level: AssuranceLevel | null;
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  /** Of what was given for intermediates: those that lead to none of these roots, or to none any more. */
  readonly leftOut: readonly Certificate[];
}

/** Evidence of these says its level itself. */
const selfLevelled: ReadonlySet<AnchoredFormat> = new Set(['apple', 'android-key']);
const levelled: ReadonlySet<AnchoredFormat> = new Set(['tpm', 'idevid', 'endorsement']);
const maximumTold = 12;

/** All that speaks against any of them, and nothing is taken then. Throws 'forbidden', 'usage', 'too-large'. */
export function newSet(
  roots: readonly Certificate[],
  intermediates: readonly Certificate[],
  asked: AskedSet,
  time: number,
): NewSet {
  const level = levelOf(roots, asked);
  demandGiven(roots, asked);
  const problems = roots.flatMap((root) =>
    rootConcerns(root, { format: asked.format, level }, time)
      .filter((concern) => isRefused(root, concern, asked))
      .map((concern) => `${formatName(root.subject)}, SHA-256 ${sha256Of(root)}, ${wordsOf(concern)}`),
  );
  if (problems.length > 0) {
    const told = problems.slice(0, maximumTold);
    const more = problems.length > told.length ? [`and ${problems.length - told.length} more`] : [];
    throw new SallyportError('forbidden', ['nothing was written:', ...told, ...more].join('\n'));
  }
  const below = leadingTo(roots, intermediates, time);
  return {
    level,
    roots,
    intermediates: below,
    leftOut: intermediates.filter(
      (each) => !below.includes(each) && !roots.some((root) => isSame(root, each)),
    ),
  };
}

/** As it is written: with each certificate's fingerprint and what it is known as, and with nothing that the certificate says itself. */
export function setPem(certificates: readonly Certificate[]): Uint8Array {
  const text = certificates
    .map((certificate) => {
      const known = knownRootOf(certificate);
      const label = known === null ? '' : `# ${known.vendor}: ${known.name}\n`;
      return `${label}# SHA-256 ${sha256Of(certificate)}\n${derToPem(certificate.der, 'CERTIFICATE')}`;
    })
    .join('\n');
  // What the authority could not read again is not written.
  pemToDer(text, 'CERTIFICATE');
  return Buffer.from(text);
}

/** Where all roots are of one level, that one. */
function levelOf(roots: readonly Certificate[], { format, level }: AskedSet): AssuranceLevel | null {
  if (level !== null && selfLevelled.has(format)) {
    throw new SallyportError('usage', `evidence of ${format} says its level itself: leave out --level`);
  }
  if (level !== null || !levelled.has(format)) return level;
  const decided = new Set(roots.map((root) => knownRootOf(root)?.level ?? null));
  const [only] = decided;
  if (decided.size === 1 && only !== undefined && only !== null) return only;
  throw new SallyportError(
    'usage',
    `say with --level what hardware stands below these roots: evidence of ${format} does not say it`,
  );
}

/** Somebody has compared something else. */
function demandGiven(roots: readonly Certificate[], { fingerprints }: AskedSet): void {
  const given = new Set(roots.map(sha256Of));
  const missing = fingerprints.find((each) => !given.has(each));
  if (missing === undefined) return;
  throw new SallyportError('usage', `no certificate that was given has the SHA-256 ${missing}`);
}

function isRefused(root: Certificate, { check }: RootConcern, { fingerprints }: AskedSet): boolean {
  if (check === 'root-unknown') return !fingerprints.includes(sha256Of(root));
  return check !== 'root-ends-soon';
}

function wordsOf({ check, detail }: RootConcern): string {
  if (check !== 'root-unknown') return detail;
  return `${detail}: compare this with what its owner says by another way, and give it with --fingerprint`;
}

/** By signatures, downwards from the roots. Whoever issues devices' certificates must be a CA with a sound key, and in date. */
function leadingTo(
  roots: readonly Certificate[],
  intermediates: readonly Certificate[],
  time: number,
): readonly Certificate[] {
  const found: Certificate[] = [];
  let rest = intermediates.filter((each) => isFit(each, time) && !roots.some((root) => isSame(root, each)));
  let reached: readonly Certificate[] = roots;
  while (reached.length > 0) {
    const above = reached;
    reached = rest.filter((each) => {
      const issuers = above.filter(({ subject }) => matchesName(subject, each.issuer));
      return findCertificationPath(each, [], issuers) !== null;
    });
    found.push(...reached);
    rest = rest.filter((each) => !found.includes(each));
  }
  return found;
}

function isFit(certificate: Certificate, time: number): boolean {
  const against: readonly RootConcern['check'][] = ['root-ca', 'root-key', 'root-begins', 'root-ended'];
  const concerns = rootConcerns(certificate, { format: 'tpm', level: null }, time);
  return !concerns.some(({ check }) => against.includes(check));
}

function isSame(one: Certificate, other: Certificate): boolean {
  return sha256Of(one) === sha256Of(other);
}
