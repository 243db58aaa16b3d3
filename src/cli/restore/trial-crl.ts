import { isSallyportError, SallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { type Der, encodeTbsCertList } from '#x509';

/** Name: an empty one. No byte of a trial is signed or kept. */
const nobody: Der = Uint8Array.of(0x30, 0);

/**
 * What the restored authority would put on its first lists can be written as lists, whoever gave the serial numbers and times. Throws 'log' where it
 * cannot: served, it would never have a CRL again.
 */
export async function demandCertificateLists(
  storage: Pick<ReadOnlyStorage, 'revoked'>,
  issuers: readonly string[],
  now: number,
): Promise<void> {
  for (const issuer of issuers) {
    const revoked = await storage.revoked(issuer);
    if (new Set(revoked.map(({ serialNumber }) => serialNumber)).size !== revoked.length) {
      throw noList(issuer, 'it would name one serial number twice');
    }
    try {
      encodeTbsCertList({
        signatureAlgorithm: 'ed25519',
        issuer: nobody,
        thisUpdate: now,
        nextUpdate: now,
        revoked,
        extensions: [],
      });
    } catch (cause) {
      if (!isSallyportError(cause)) throw cause;
      throw noList(issuer, cause.message, cause);
    }
  }
}

function noList(issuer: string, words: string, cause?: unknown): SallyportError {
  return new SallyportError(
    'log',
    `the restored authority could issue no CRL of ${issuer}: ${words}; nothing was restored`,
    { cause },
  );
}
