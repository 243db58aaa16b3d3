import {
  type CertificationRequest,
  type Der,
  der,
  encodeCertificationRequestInfo,
  oids,
  parseCertificationRequest,
  readDer,
  verifyPossession,
} from '#x509';
import { unopenable } from './problems.ts';

/**
 * The certification request that a message hides. Its signature is verified here and not by a layer: the cipher lets anybody change what it hides, and
 * who learned which changes still parse would read it bit by bit. Each way to fail takes the same steps, and says the same.
 * @throws MessageError
 */
export function openedRequest(plain: Uint8Array): CertificationRequest {
  let request: CertificationRequest | null = null;
  let fault: unknown = null;
  try {
    request = parseCertificationRequest(plain);
  } catch (error) {
    fault = error;
  }
  const isPossessed = verifies(request ?? decoy);
  if (request === null) throw unopenable('what it hides is no certification request', fault);
  if (!isPossessed) throw unopenable('the certification request in it is not signed with its own key');
  return request;
}

function verifies(request: CertificationRequest): boolean {
  try {
    return verifyPossession(request);
  } catch {
    return false;
  }
}

/** What is verified where there is nothing to verify: under a number of 2048 bits that is nobody's key, and as long a signature, which takes as long. */
const decoy = parseCertificationRequest(unsigned(Buffer.alloc(256, 0xc5), Buffer.alloc(256, 0x11)));

function unsigned(modulus: Uint8Array, signature: Uint8Array): Der {
  const key = der.sequence(der.integer(modulus), der.integer(65_537));
  const algorithm = (oid: string) => der.sequence(der.oid(oid), der.null());
  const spki = der.sequence(algorithm(oids.rsaEncryption), der.bitString(key));
  const info = encodeCertificationRequestInfo({ subject: [], spki });
  return der.sequence(info, algorithm(oids.sha256WithRsaEncryption), der.bitString(signature));
}

/** What GetCert and GetCRL hide: IssuerAndSerialNumber (RFC 8894 sections 3.3.4 and 3.3.5); null: something else. */
export function serialNumberIn(
  plain: Uint8Array,
): { readonly issuerDer: Der; /** Lower-case hex. */ readonly serialNumber: string } | null {
  try {
    const fields = readDer(plain).sequence('IssuerAndSerialNumber');
    const issuerDer = fields.next().der;
    const serialNumber = fields.next().unsignedBytes('serialNumber').toHex();
    fields.finish();
    return { issuerDer, serialNumber };
  } catch {
    return null;
  }
}
