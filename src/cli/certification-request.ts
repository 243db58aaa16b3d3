import type { Session } from './session.ts';

/** What `--csr` shows: the request of that entry as PEM, which openssl reads. */
export async function showCertificationRequest(session: Session, id: string): Promise<void> {
  const { derToPem } = await import('#x509');
  const shown = await session.perform('showCertificationRequest', { id });
  const { certificationRequest, asReceived } = shown;
  if (!asReceived) {
    session.note('A challenge was taken out before it was kept: the signature does not fit what is left.');
  }
  session.print(shown, () => derToPem(Buffer.from(certificationRequest, 'base64'), 'CERTIFICATE REQUEST'));
}
