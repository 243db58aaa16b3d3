import type { AdminStore } from '#admin';
import type { LogStore } from '#audit';
import type { Issuer } from '#ca';
import type { PublicDocuments } from '#server';
import { caCertificatePath, checkpointPath, crlPath } from './public-paths.ts';

/** The newest CRL and the certificate of each issuer (RFC 5280 sections 4.2.1.13 and 4.2.2.1), and the log's checkpoint. */
export function authorityDocuments(
  issuers: ReadonlyMap<string, Issuer>,
  store: Pick<AdminStore, 'crl'>,
  log: Pick<LogStore, 'note'>,
): PublicDocuments {
  const byPath = new Map<string, () => Promise<{ contentType: string; body: Uint8Array } | null>>();
  for (const { name, certificate } of issuers.values()) {
    byPath.set(crlPath(name), async () => {
      const crl = await store.crl(name);
      return crl === null ? null : { contentType: 'application/pkix-crl', body: crl.der };
    });
    byPath.set(caCertificatePath(name), async () => ({
      contentType: 'application/pkix-cert',
      body: certificate.der,
    }));
  }
  byPath.set(checkpointPath, async () => {
    const note = await log.note();
    return note === null ? null : { contentType: 'text/plain; charset=utf-8', body: Buffer.from(note) };
  });
  return { read: async (path) => (await byPath.get(path)?.()) ?? null };
}
