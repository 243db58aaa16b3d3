import { isSallyportError, SallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { encodeRevokedCertificates } from '#x509';

/**
 * What the restored authority would put on its first lists can be written as lists, whoever gave the serial numbers and times. Throws 'log' where it
 * cannot: served, it would never have a CRL again.
 */
export async function demandCertificateLists(
  storage: Pick<ReadOnlyStorage, 'revoked'>,
  issuers: readonly string[],
): Promise<void> {
  for (const issuer of issuers) {
    const serialNumbers = new Set<string>();
    let listed = 0;
    for await (const part of storage.revoked(issuer)) {
      for (const { serialNumber } of part) serialNumbers.add(serialNumber);
      listed += part.length;
      if (serialNumbers.size !== listed) throw noList(issuer, 'it would name one serial number twice');
      try {
        encodeRevokedCertificates(part);
      } catch (cause) {
        if (!isSallyportError(cause)) throw cause;
        throw noList(issuer, cause.message, cause);
      }
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
