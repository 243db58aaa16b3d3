import { SallyportError } from '#errors';
import { type Certificate, sameName, verifyCertificateSignature } from '#x509';

/** RFC 5280 sections 4.2.1.9, 4.2.1.3 and 4.2.1.2: what conforming authorities' certificates must have. */
export function requireAuthority(
  name: string,
  { isCa, keyUsage, subject, subjectKeyIdentifier }: Certificate,
): void {
  const problem = !isCa
    ? 'is not a certification authority (basicConstraints cA)'
    : !keyUsage?.includes('keyCertSign')
      ? 'may not sign certificates (keyUsage keyCertSign)'
      : subject.length === 0
        ? 'has an empty subject'
        : subjectKeyIdentifier === null
          ? 'has no subjectKeyIdentifier'
          : null;
  if (problem !== null) {
    throw new SallyportError('config', `issuer ${name}: a certificate of its chain or rollover ${problem}`);
  }
}

/** RFC 5280 section 6.1: each is signed by the next, the last by itself. */
export function requireChain(name: string, path: readonly Certificate[]): void {
  path.forEach((certificate, index) => {
    const signer = path[index + 1] ?? certificate;
    requireAuthority(name, signer);
    if (!sameName(certificate.issuer, signer.subject)) {
      throw new SallyportError(
        'config',
        `issuer ${name}: the chain is not in order, or the root is not its last`,
      );
    }
    if (!verifyCertificateSignature(certificate, signer.spki)) {
      throw new SallyportError(
        'bad-signature',
        `issuer ${name}: the signature of a certificate of its chain is wrong`,
      );
    }
  });
}
