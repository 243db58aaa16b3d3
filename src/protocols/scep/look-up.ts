import { certsOnly, crlOnly } from '#cms';
import { type Authority, isVouchedFor } from '#enrollment';
import type { Der } from '#x509';
import { openedSerialNumber } from './opened-request.ts';
import type { PkiMessage } from './pki-message.ts';
import { MessageError } from './problems.ts';

export interface LookUpPorts {
  /** By its serial number. */
  readonly certificate: (
    serialNumber: string,
  ) => Promise<{ readonly issuer: string; readonly der: Uint8Array } | null>;
  /** The newest of an issuer, by name. */
  readonly crl: (issuer: string) => Promise<{ readonly der: Uint8Array } | null>;
}

/** Octets. A longer list is fetched where every certificate says (CRL distribution point). */
const longestCrl = 1_048_576;

/**
 * GetCert and GetCRL (RFC 8894 sections 3.3.4 and 3.3.5): what is public, for who has a certificate.
 * @throws MessageError
 */
export async function lookUp(
  { type, signer }: PkiMessage,
  plain: Uint8Array | null,
  authority: Authority,
  ports: LookUpPorts,
): Promise<Der> {
  const { issuerDer, serialNumber } = openedSerialNumber(plain);
  if (!isVouchedFor(signer, authority)) {
    throw new MessageError(
      { failInfo: 'badCertId', words: `${type} is for who has a certificate of this authority.` },
      'the certificate that signed is nobody’s that is known',
    );
  }
  const issuer = [...authority.issuers.values()].find(
    ({ issuer: { certificate } }) => Buffer.compare(certificate.subjectDer, issuerDer) === 0,
  )?.issuer.name;
  const unknown = (words: string) =>
    new MessageError({ failInfo: 'badCertId', words: 'There is no such certificate here.' }, words);
  if (issuer === undefined) throw unknown('no issuer here has this name');
  if (type === 'GetCRL') {
    const crl = await ports.crl(issuer);
    if (crl === null || crl.der.length > longestCrl) {
      throw unknown('the CRL is not there, or too long for SCEP');
    }
    return crlOnly(crl.der);
  }
  const certificate = await ports.certificate(serialNumber);
  // An erased device has none any more.
  if (certificate === null || certificate.issuer !== issuer || certificate.der.length === 0) {
    throw unknown('no certificate of this issuer has this serial number');
  }
  return certsOnly([certificate.der]);
}
