import { type Certificate, type Der, der } from '#x509';

/** IssuerAndSerialNumber (RFC 5652 section 10.2.4). */
export function issuerAndSerialNumber({ issuerDer, serialNumber }: Certificate): Der {
  return der.sequence(issuerDer, der.integer(Uint8Array.fromHex(serialNumber)));
}
