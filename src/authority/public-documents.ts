import type { AdminStore } from '#admin';
import type { LogStore } from '#audit';
import type { Issuer } from '#ca';
import type { PublicDocuments } from '#server';
import { caCertificatePath, checkpointPath, crlPath } from './public-paths.ts';
import { SharedReading } from './shared-reading.ts';

export interface AuthorityDocuments extends PublicDocuments {
  /** There is another document at this path now. */
  changed(path: string): void;
}

/**
 * The newest CRL and the certificate of each issuer (RFC 5280 sections 4.2.1.13 and 4.2.2.1), and the log's checkpoint. However many ask, they
 * wait for one reading: the store reads in the thread that writes, and a CRL may be megabytes.
 */
export function authorityDocuments(
  issuers: ReadonlyMap<string, Issuer>,
  store: Pick<AdminStore, 'crl'>,
  log: Pick<LogStore, 'note'>,
): AuthorityDocuments {
  const byPath = new Map<string, SharedReading<{ contentType: string; body: Uint8Array } | null>>();
  for (const { name, certificate } of issuers.values()) {
    const readCrl = async () => {
      const crl = await store.crl(name);
      return crl === null ? null : { contentType: 'application/pkix-crl', body: crl.der };
    };
    byPath.set(crlPath(name), new SharedReading(readCrl));
    const own = { contentType: 'application/pkix-cert', body: certificate.der };
    byPath.set(caCertificatePath(name), new SharedReading(async () => own));
  }
  const readCheckpoint = async () => {
    const note = await log.note();
    return note === null ? null : { contentType: 'text/plain; charset=utf-8', body: Buffer.from(note) };
  };
  byPath.set(checkpointPath, new SharedReading(readCheckpoint));
  return {
    read: async (path) => (await byPath.get(path)?.value()) ?? null,
    changed: (path) => byPath.get(path)?.forget(),
  };
}
