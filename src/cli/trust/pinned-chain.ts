import type { IssuerConfiguration } from '#config';
import { SallyportError } from '#errors';
import type { Certificate } from '#x509';
import { readCertificates } from './certificate-file.ts';
import { isSame, isSignedBy } from './signed-by.ts';

export interface PinnedCertificate {
  /** The PEM file that sallyport.yaml names, absolute. */
  readonly file: string;
  readonly certificate: Certificate;
}

/** An issuer's explicit trust anchor (RFC 7030 section 3.3.2) and what is below it: issuing CA first, root last. */
export interface PinnedChain {
  readonly issuer: string;
  readonly path: readonly PinnedCertificate[];
  readonly root: PinnedCertificate;
  /** The issuing CA and whatever is between it and the root; empty where the root itself issues. */
  readonly below: readonly PinnedCertificate[];
}

/**
 * Reads what the authority itself would load: the first certificate of each file. What clients will trust is never handed out unverified.
 * Throws 'config'.
 */
export async function readPinnedChain({
  name,
  certificate,
  chain,
}: IssuerConfiguration): Promise<PinnedChain> {
  const read = await Promise.all(
    [certificate, ...chain].map(async (file) => ({ file, certificate: (await readCertificates(file))[0]! })),
  );
  // A root that issues itself stands in the configuration twice.
  const path = read.filter((one, at) => at === 0 || !isSame(one.certificate, read[at - 1]!.certificate));
  requireChain(name, path);
  return { issuer: name, path, root: path.at(-1)!, below: path.slice(0, -1) };
}

/** RFC 5280 section 6.1: each is signed by the next, the last by itself. */
function requireChain(name: string, path: readonly PinnedCertificate[]): void {
  for (const [at, { file, certificate }] of path.entries()) {
    const above = path[at + 1];
    if (isSignedBy(certificate, (above ?? path[at]!).certificate)) continue;
    const words =
      above === undefined
        ? `${file} is no root: it is not a CA signed by itself; name the root last in its chain`
        : `${file} is not signed by ${above.file}; list the certificates above it in order, the root last`;
    throw new SallyportError('config', `issuer ${name}: ${words}`);
  }
}
