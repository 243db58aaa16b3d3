import { type Certificate, type Der, der, oids } from '#x509';
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import type { RecipientInfo } from './recipient-info.ts';

/** How the content-encryption key goes to an RSA key: RSAES-PKCS1-v1_5 (RFC 3370 section 4.2.1), or OAEP (RFC 3560) with one hash throughout. */
export type KeyTransport = 'pkcs1' | 'oaep-sha1' | 'oaep-sha256';

/** sha256Identifier and mgf1SHA256Identifier, with NULL as RFC 4055 section 2.1 writes them. */
const sha256 = der.sequence(der.oid(oids.sha256), der.null());
const mgf1Sha256 = der.sequence(der.oid(oids.mgf1), sha256);

/** RSAES-OAEP-params (RFC 4055 section 4.1); SHA-1 throughout and the empty label are the defaults, and so not encoded. */
const algorithms: Readonly<Record<KeyTransport, Der>> = {
  pkcs1: der.sequence(der.oid(oids.rsaEncryption), der.null()),
  'oaep-sha1': der.sequence(der.oid(cmsOids.rsaesOaep), der.sequence()),
  'oaep-sha256': der.sequence(
    der.oid(cmsOids.rsaesOaep),
    der.sequence(der.explicit(0, sha256), der.explicit(1, mgf1Sha256)),
  ),
};

/** KeyTransRecipientInfo (RFC 5652 section 6.2.1), for a key named by its identifier where it has one and that is wanted; what is random in the padding is OpenSSL's. */
export function keyTransRecipientInfo(
  recipient: Certificate,
  contentEncryptionKey: Uint8Array,
  transport: KeyTransport,
  byKeyIdentifier: boolean,
): RecipientInfo {
  const subjectKeyIdentifier = byKeyIdentifier ? recipient.subjectKeyIdentifier : null;
  const version = subjectKeyIdentifier === null ? 0 : 2;
  const rid =
    subjectKeyIdentifier === null
      ? issuerAndSerialNumber(recipient)
      : der.implicit(0, der.octetString(subjectKeyIdentifier));
  const encryptedKey = encrypt(recipient.spki, contentEncryptionKey, transport);
  return {
    version,
    der: der.sequence(der.integer(version), rid, algorithms[transport], der.octetString(encryptedKey)),
  };
}

function encrypt(spki: Der, plain: Uint8Array, transport: KeyTransport): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  if (transport === 'pkcs1') return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, plain);
  // MGF1 takes the hash of OAEP where none is named for it.
  const oaepHash = transport === 'oaep-sha1' ? 'sha1' : 'sha256';
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plain);
}
