import { type Certificate, contextPrimitive, type DerNode } from '#x509';

/** Which certificates a SignerIdentifier or RecipientIdentifier names (RFC 5652 sections 5.3 and 6.2.1): by issuer and serial number, or by key. */
export function certificateMatcher(identifier: DerNode): (certificate: Certificate) => boolean {
  if (identifier.tag === contextPrimitive(0)) {
    const wanted = identifier.octetString('subjectKeyIdentifier', contextPrimitive(0));
    return ({ subjectKeyIdentifier }) =>
      subjectKeyIdentifier !== null && Buffer.compare(subjectKeyIdentifier, wanted) === 0;
  }
  const fields = identifier.sequence('issuerAndSerialNumber');
  const issuer = fields.next().der;
  const serial = fields.next().integerBytes('serialNumber');
  fields.finish();
  return ({ issuerDer, serialNumber }) =>
    Buffer.compare(issuerDer, issuer) === 0 && sameMagnitude(serial, Uint8Array.fromHex(serialNumber));
}

/** Without the sign octet of one of them. */
function sameMagnitude(a: Uint8Array, b: Uint8Array): boolean {
  const magnitude = (bytes: Uint8Array) => bytes.subarray(bytes.findIndex((octet) => octet !== 0));
  return Buffer.compare(magnitude(a), magnitude(b)) === 0;
}
