import {
  type Certificate,
  type Der,
  contextConstructed,
  der,
  oids,
  readDer,
  subjectPublicKeyInfoOf,
} from '#x509';

const rsaesOaep = '1.2.840.113549.1.1.7';

/**
 * SubjectPublicKeyInfo of the key in an endorsement key's certificate, as the TPM's own tools write it, and as `ekSha256` is of it. Some manufacturers (Infineon, in
 * older ones) certify an RSA key under id-RSAES-OAEP (RFC 4055 section 4.1). What is in it is the RSAPublicKey that rsaEncryption has: it is the same key. Parameters
 * choose nothing: hash and label of what an endorsement key opens are the TPM's (part 1 annex B). In no other certificate is such a key one that we know. Throws
 * `malformed`, and as `readDer`.
 */
export function endorsementSpki({ spki }: Pick<Certificate, 'spki'>): Der {
  const { algorithm, publicKey } = subjectPublicKeyInfoOf(readDer(spki));
  if (algorithm.oid !== rsaesOaep) return spki;
  // RSAES-OAEP-params: hash, mask and label, each of which may be left out.
  const parameters = algorithm.parameters?.sequence('RSAES-OAEP-params');
  for (const field of [0, 1, 2]) {
    parameters?.optional(contextConstructed(field))?.children('RSAES-OAEP-params');
  }
  parameters?.finish();
  return der.sequence(der.sequence(der.oid(oids.rsaEncryption), der.null()), der.bitString(publicKey));
}
