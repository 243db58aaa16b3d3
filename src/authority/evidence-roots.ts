import type { Configuration } from '#config';
import { sha256Hex } from '#enrollment';
import { SallyportError } from '#errors';
import { findAnchoredPath, knownRootOf, rootConcerns, type TrustAnchors, vendorConcerns } from '#evidence';
import { type Certificate, formatName, parseBase64Certificate } from '#x509';
import { readCertificates } from './read-certificates.ts';

/** What of the configuration says who is believed. */
interface Roots {
  readonly attestation: Pick<Configuration['attestation'], 'roots'>;
}

/** What of a class says whose attestation keys we certify. */
interface Believing {
  readonly evidence?: { readonly endorsement?: { readonly roots: readonly string[] } } | undefined;
}

/** Whom evidence is believed, in the order of the configuration. Throws 'config'. */
export async function loadTrustAnchors(configuration: Roots): Promise<readonly TrustAnchors[]> {
  const loaded = await readTrustAnchors(configuration);
  demandOneFormat(loaded);
  demandKnownFormats(loaded);
  demandCompared(loaded, configuration);
  return loaded;
}

/** The same as the files have it, and nobody asks whether it fits. Throws 'config' where one cannot be read. */
export async function readTrustAnchors({ attestation }: Roots): Promise<readonly TrustAnchors[]> {
  const loading = attestation.roots.map(async ({ name, format, level, files, intermediateFiles }) => {
    const [roots, intermediates] = await Promise.all([encoded(files), encoded(intermediateFiles)]);
    return { name, format, level, roots, intermediates };
  });
  return Promise.all(loading);
}

async function encoded(files: readonly string[]): Promise<string[]> {
  const certificates = (await Promise.all(files.map(readCertificates))).flat();
  return certificates.map(({ der }) => Buffer.from(der).toString('base64'));
}

/** Whoever could sign evidence of two formats could have devices choose. A root that was issued anew is the same one. */
function demandOneFormat(anchors: readonly TrustAnchors[]): void {
  const seen = new Map<string, TrustAnchors>();
  for (const each of anchors) {
    for (const root of each.roots) {
      const key = parseBase64Certificate(root).spki.toHex();
      const other = seen.get(key) ?? each;
      if (other.format !== each.format) {
        throw new SallyportError(
          'config',
          `attestation.roots ${other.name} and ${each.name} have a root in common, and are of two formats`,
        );
      }
      seen.set(key, each);
    }
  }
}

/** What a vendor publishes as a root of one format, or of one level, is none of another, whatever the configuration says of it. */
function demandKnownFormats(anchors: readonly TrustAnchors[]): void {
  for (const each of anchors) {
    for (const root of each.roots) {
      const found = vendorConcerns(knownRootOf(parseBase64Certificate(root)), each).find(
        ({ check }) => check !== 'root-unknown',
      );
      if (found === undefined) continue;
      throw new SallyportError('config', `attestation.roots.${each.name}: a certificate ${found.detail}`);
    }
  }
}

/** Whoever changes a file of roots changes nothing where the configuration says which ones are meant. */
function demandCompared(anchors: readonly TrustAnchors[], { attestation }: Roots): void {
  for (const { name, roots } of anchors) {
    const compared = attestation.roots.find((each) => each.name === name)?.fingerprints ?? null;
    for (const root of roots) {
      const sha256 = sha256Hex(parseBase64Certificate(root).der);
      if (compared === null || compared.includes(sha256)) continue;
      throw new SallyportError(
        'config',
        `attestation.roots.${name}: fingerprints has no ${sha256}, which its files hold`,
      );
    }
  }
}

/** They stand in an entry of the log, whose octets are limited: `sallyport roots list` has them all. */
const maximumFindings = 16;
const maximumNameCharacters = 120;

/** What an operator ought to know of the roots that are in force. Those of `issuers`, which are ours, nobody else publishes; those of `compared` (SHA-256) somebody has looked at. */
export function rootFindings(
  anchors: readonly TrustAnchors[],
  issuers: readonly Certificate[],
  compared: readonly string[],
  time: number,
): string[] {
  const ours = new Set([...issuers.map(({ der }) => sha256Hex(der)), ...compared]);
  const found = anchors.flatMap((each) =>
    each.roots.flatMap((root) => {
      const certificate = parseBase64Certificate(root);
      const subject = formatName(certificate.subject).slice(0, maximumNameCharacters);
      const sha256 = sha256Hex(certificate.der);
      return rootConcerns(certificate, each, time)
        .filter(({ check }) => check !== 'root-unknown' || !ours.has(sha256))
        .map(({ detail }) => `attestation.roots.${each.name}: ${subject}, SHA-256 ${sha256}, ${detail}`);
    }),
  );
  const more = found.length - maximumFindings;
  if (more <= 0) return found;
  return [
    ...found.slice(0, maximumFindings),
    `of attestation.roots there is as much to say ${more} times more: see sallyport roots list`,
  ];
}

/**
 * What an issuer of ours says of an attestation key it has of the endorsement key, whose level its certificate does not tell: a set of roots that has that issuer must
 * be of the level of every maker that any class believes. Throws 'config'.
 */
export function demandLevels(
  anchors: readonly TrustAnchors[],
  deviceClasses: readonly Believing[],
  issuers: readonly Certificate[],
): void {
  const believed = new Set(deviceClasses.flatMap(({ evidence }) => evidence?.endorsement?.roots ?? []));
  const makers = anchors.filter(({ name, format }) => format === 'endorsement' && believed.has(name));
  for (const each of anchors) {
    const { name, format, level } = each;
    if (format !== 'tpm' || !vouchesFor(issuers, each)) continue;
    const other = makers.find((maker) => maker.level !== level);
    if (other === undefined) continue;
    throw new SallyportError(
      'config',
      `attestation.roots.${name} is of level ${level}, and has an issuer that certifies attestation keys of ${other.name}, which is of level ${other.level}`,
    );
  }
}

/** Whether one of them is among the anchors, by its key, since it may have been issued anew; or has a path to them. */
function vouchesFor(issuers: readonly Certificate[], anchors: TrustAnchors): boolean {
  const keys = new Set(
    [...anchors.roots, ...anchors.intermediates].map((each) => keyOf(parseBase64Certificate(each))),
  );
  return issuers.some(
    (issuer) =>
      keys.has(keyOf(issuer)) || findAnchoredPath(anchors.format, [issuer, ...issuers], [anchors]) !== null,
  );
}

const keyOf = ({ spki }: Certificate) => spki.toHex();
