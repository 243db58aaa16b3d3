import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import type { TrustAnchors } from '#evidence';
import { type Certificate, parseCertificate } from '#x509';
import { readCertificates } from './read-certificates.ts';

/** Whom evidence is believed, in the order of the configuration. Throws 'config'. */
export async function loadTrustAnchors({ attestation }: Configuration): Promise<readonly TrustAnchors[]> {
  const loading = attestation.roots.map(async ({ name, format, level, files, intermediateFiles }) => {
    const [roots, intermediates] = await Promise.all([encoded(files), encoded(intermediateFiles)]);
    return { name, format, level, roots, intermediates };
  });
  const loaded = await Promise.all(loading);
  demandOneFormat(loaded);
  return loaded;
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
      const key = Buffer.from(parseCertificate(new Uint8Array(Buffer.from(root, 'base64'))).spki).toString(
        'hex',
      );
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

/**
 * What an issuer of ours says of an attestation key it has of the endorsement key, whose level its certificate does not tell: a set of roots that has that issuer must
 * be of the level of every maker that any class believes. Throws 'config'.
 */
export function demandLevels(
  anchors: readonly TrustAnchors[],
  deviceClasses: Configuration['deviceClasses'],
  issuers: readonly Certificate[],
): void {
  const ours = new Set(issuers.map(({ der }) => Buffer.from(der).toString('base64')));
  const believed = new Set(deviceClasses.flatMap(({ evidence }) => evidence?.endorsement?.roots ?? []));
  const makers = anchors.filter(({ name, format }) => format === 'endorsement' && believed.has(name));
  for (const { name, format, level, roots } of anchors) {
    if (format !== 'tpm' || !roots.some((root) => ours.has(root))) continue;
    const other = makers.find((maker) => maker.level !== level);
    if (other === undefined) continue;
    throw new SallyportError(
      'config',
      `attestation.roots.${name} is of level ${level}, and has an issuer that certifies attestation keys of ${other.name}, which is of level ${other.level}`,
    );
  }
}
