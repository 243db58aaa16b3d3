import type { Configuration } from '#config';
import type { Authority } from '#enrollment';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import type { IssuedCertificates } from './listener-certificates.ts';
import { readText } from './read-text.ts';
import { listenersWithTls } from './transport-keys.ts';
import { wholeSecond } from './whole-second.ts';

const day = 86_400_000;
const warnedBefore = 30 * day;

/** What an operator must know before clients do: listeners whose certificate ends soon, or has ended, and is not renewed by itself. */
export async function endingCertificates(
  configuration: Configuration,
  { issuers }: Pick<Authority, 'issuers'>,
  issued: IssuedCertificates,
  now: number,
): Promise<string[]> {
  const warnings = await Promise.all(
    listenersWithTls(configuration).map(async ({ name, tls }) => {
      const certificate = tls.issued === null ? await readOwn(tls.certificate) : issued.get(name)!;
      if (certificate.notAfter - now > warnedBefore) return [];
      const remedy =
        tls.issued === null ? `replace ${tls.certificate}` : whereItEnds(tls.issued.issuer, certificate);
      const end = new Date(certificate.notAfter).toISOString();
      return remedy === null
        ? []
        : [`the certificate of listener ${name} ends on ${end}: ${remedy}, then kill -HUP`];
    }),
  );
  return warnings.flat();

  /** null: another one will take its place. What keeps that from being issued the renewal says itself. */
  function whereItEnds(issuer: string, { notAfter }: Certificate): string | null {
    return notAfter < wholeSecond(issuers.get(issuer)!.issuer.certificate.notAfter)
      ? null
      : `issuer ${issuer} ends with it, name another one`;
  }
}

async function readOwn(file: string): Promise<Certificate> {
  const [der] = pemToDer(await readText(file), 'CERTIFICATE');
  return parseCertificate(der!);
}
