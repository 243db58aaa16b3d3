import { hash } from 'node:crypto';
import { type Der, readDer } from '../der-node.ts';
import { contextConstructed, contextPrimitive } from '../der-tags.ts';
import { der } from '../der-writer.ts';
import { subjectPublicKeyInfoOf } from '../subject-public-key-info.ts';

/** SHA-1 of the bits of the subjectPublicKey (RFC 5280 section 4.2.1.2, method 1): a name for the key, not a defense. */
export function keyIdentifier(spki: Der): Uint8Array {
  return new Uint8Array(hash('sha1', subjectPublicKeyInfoOf(readDer(spki)).publicKey, 'buffer'));
}

export function encodeSubjectKeyIdentifier(keyId: Uint8Array): Der {
  return der.octetString(keyId);
}

export function parseSubjectKeyIdentifier(value: Uint8Array): Uint8Array {
  return readDer(value).octetString('SubjectKeyIdentifier');
}

/** Only the keyIdentifier: issuer and serial number would break when the issuer's certificate is renewed. */
export function encodeAuthorityKeyIdentifier(keyId: Uint8Array): Der {
  return der.sequence(der.implicit(0, der.octetString(keyId)));
}

/** The keyIdentifier, or null where only issuer and serial number are given. */
export function parseAuthorityKeyIdentifier(value: Uint8Array): Uint8Array | null {
  const fields = readDer(value).sequence('AuthorityKeyIdentifier');
  const keyId = fields.optional(contextPrimitive(0))?.content ?? null;
  fields.optional(contextConstructed(1));
  fields.optional(contextPrimitive(2));
  fields.finish();
  return keyId;
}
