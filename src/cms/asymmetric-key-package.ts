import { SallyportError } from '#errors';
import { type Der, contextConstructed, contextPrimitive, der, readDer } from '#x509';

/**
 * AsymmetricKeyPackage (RFC 5958 section 2) with one key: a PKCS#8 PrivateKeyInfo is a OneAsymmetricKey, and its bytes
 * stay as they are. The package holds the key in the clear: whoever made `pkcs8` wipes both.
 * @throws SallyportError 'malformed' or 'unsupported' for anything else, an EncryptedPrivateKeyInfo among others
 */
export function asymmetricKeyPackage(pkcs8: Der): Der {
  requireOneAsymmetricKey(pkcs8);
  return der.sequence(pkcs8);
}

function requireOneAsymmetricKey(pkcs8: Der): void {
  const fields = readDer(pkcs8).sequence('OneAsymmetricKey');
  const version = fields.next().smallInteger('version');
  if (version > 1) {
    throw new SallyportError('unsupported', 'OneAsymmetricKey: its version is neither v1 nor v2');
  }
  fields.next().sequence('privateKeyAlgorithm').next().oid('algorithm');
  fields.next().octetString('privateKey');
  fields.optional(contextConstructed(0));
  // "If publicKey is present, then version is set to v2".
  if (version === 1) fields.optional(contextPrimitive(1));
  fields.finish();
}
