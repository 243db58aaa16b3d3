import { type Certificate, type Der, der, oids } from '#x509';
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import type { RecipientInfo } from './recipient-info.ts';

/** sha256Identifier and mgf1SHA256Identifier, with NULL as RFC 4055 section 2.1 writes them. */
const sha256 = der.sequence(der.oid(oids.sha256), der.null());
const mgf1Sha256 = der.sequence(der.oid(oids.mgf1), sha256);

/** RSAES-OAEP-params (RFC 4055 section 4.1); the label is empty, which is the default and so not encoded. */
const oaepSha256 = der.sequence(
  der.oid(cmsOids.rsaesOaep),
  der.sequence(der.explicit(0, sha256), der.explicit(1, mgf1Sha256)),
);

/** KeyTransRecipientInfo (RFC 5652 section 6.2.1): the key under RSAES-OAEP (RFC 3560), its seed from OpenSSL. */
export function keyTransRecipientInfo(
  recipient: Certificate,
  contentEncryptionKey: Uint8Array,
): RecipientInfo {
  const { subjectKeyIdentifier } = recipient;
  const version = subjectKeyIdentifier === null ? 0 : 2;
  const rid =
    subjectKeyIdentifier === null
      ? issuerAndSerialNumber(recipient)
      : der.implicit(0, der.octetString(subjectKeyIdentifier));
  const encryptedKey = encrypt(recipient.spki, contentEncryptionKey);
  return {
    version,
    der: der.sequence(der.integer(version), rid, oaepSha256, der.octetString(encryptedKey)),
  };
}

function encrypt(spki: Der, plain: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  // MGF1 takes the hash of OAEP where none is named for it.
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, plain);
}
