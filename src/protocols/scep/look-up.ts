import { certsOnly, crlOnly, decryptEnvelopedData, type EnvelopedMessage } from '#cms';
import { type Authority, isWeakAlgorithm, sha256Hex } from '#enrollment';
import { type Der, equalBytes } from '#x509';
import { serialNumberIn } from './opened-message.ts';
import type { PkiMessage } from './pki-message.ts';
import { MessageError } from './problems.ts';
import type { RaInForce } from './ra.ts';

export interface LookUpPorts {
  /** Of the store, by its SHA-256 or its serial number, in lower-case hex. */
  readonly certificate: (id: string) => Promise<StoredCertificate | null>;
  /** The newest of an issuer, by name; however many ask wait for one reading. */
  readonly crl: (issuer: string) => Promise<Uint8Array | null>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface StoredCertificate {
  readonly issuer: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly revokedAt: number | null;
  readonly der: Uint8Array;
}

/** Octets. A longer list is fetched where every certificate says (CRL distribution point). */
const longestCrl = 262_144;
/** Of no certificate. */
const noSerialNumber = '00';

/**
 * GetCert and GetCRL (RFC 8894 sections 3.3.4 and 3.3.5): what is public, for who has a current certificate. What cannot be decrypted, what hides no
 * serial number and what is not found is said with one word after the same steps: the cipher lets anybody change what it hides, and no signature
 * of its sender is inside.
 * @throws MessageError
 */
export async function lookUp(
  { type, signer, digest }: PkiMessage,
  envelope: EnvelopedMessage,
  ra: RaInForce,
  authority: Authority,
  ports: LookUpPorts,
): Promise<Der> {
  if (isWeakAlgorithm(digest) || isWeakAlgorithm(envelope.cipher)) {
    throw new MessageError(
      { failInfo: 'badAlg', words: 'This algorithm is not accepted here: use AES and SHA-256.' },
      `${type} with ${digest} and ${envelope.cipher}`,
    );
  }
  const own = await ports.certificate(sha256Hex(signer.der));
  const now = ports.now();
  if (own === null || own.revokedAt !== null || now < own.notBefore || own.notAfter <= now) {
    throw new MessageError(
      { failInfo: 'badCertId', words: `${type} is for who has a current certificate of this authority.` },
      'the certificate that signed is no current one of this authority',
    );
  }
  const asked = serialNumberIn(await decryptEnvelopedData(envelope, ra.key));
  const issuers = [...authority.issuers.values()].map(({ issuer }) => issuer);
  const issuer = issuers.find(
    ({ certificate }) => asked !== null && equalBytes(certificate.subjectDer, asked.issuerDer),
  );
  const certificate = await ports.certificate(asked?.serialNumber ?? noSerialNumber);
  if (issuer !== undefined && type === 'GetCRL') {
    const crl = await ports.crl(issuer.name);
    if (crl !== null && crl.length <= longestCrl) return crlOnly(crl);
  }
  // An erased device has no certificate any more.
  const isFound = certificate !== null && certificate.issuer === issuer?.name && certificate.der.length > 0;
  if (isFound && type === 'GetCert') return certsOnly([certificate.der]);
  throw new MessageError(
    { failInfo: 'badCertId', words: 'There is no such certificate here, or the message cannot be opened.' },
    asked === null
      ? 'what it hides is no IssuerAndSerialNumber'
      : 'what it names is not here, or a CRL too long for SCEP',
  );
}
