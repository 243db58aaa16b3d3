import { type Certificate, type Der, der } from '#x509';
import {
  type KeyObject,
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import type { RecipientInfo } from './recipient-info.ts';

/** Curves with the hash of their key derivation, as RFC 5753 section 8 pairs them by strength. */
const curves = {
  'ec-p256': { namedCurve: 'P-256', hash: 'sha256', scheme: cmsOids.dhSinglePassStdDhSha256Kdf },
  'ec-p384': { namedCurve: 'P-384', hash: 'sha384', scheme: cmsOids.dhSinglePassStdDhSha384Kdf },
} as const;
export type AgreementAlgorithm = keyof typeof curves;

const version = 3;
const kekBytes = 32;
/** RFC 3394 section 2.2.3.1. */
const wrapIv = new Uint8Array(8).fill(0xa6);
/** RFC 3565 section 2.3.2: parameters "MUST be absent". */
const keyWrapAlgorithm = der.sequence(der.oid(cmsOids.aes256Wrap));
/** ECC-CMS-SharedInfo (RFC 5753 section 7.2): the wrap algorithm and the length of its key in bits; there is no ukm. */
const sharedInfo = der.sequence(
  keyWrapAlgorithm,
  der.explicit(2, der.octetString(Uint8Array.of(0, 0, (kekBytes * 8) >> 8, (kekBytes * 8) & 0xff))),
);

/**
 * KeyAgreeRecipientInfo (RFC 5652 section 6.2.2) by ephemeral-static ECDH (RFC 5753 section 3.1): the key is wrapped
 * under one that only the recipient's key and an ephemeral one, from OpenSSL's generator and used this once, agree on.
 */
export function keyAgreeRecipientInfo(
  recipient: Certificate,
  algorithm: AgreementAlgorithm,
  contentEncryptionKey: Uint8Array,
): RecipientInfo {
  const { namedCurve, hash, scheme } = curves[algorithm];
  const ephemeral = generateKeyPairSync('ec', { namedCurve });
  const kek = agree(ephemeral.privateKey, recipient.spki, hash);
  const encryptedKey = wrap(kek, contentEncryptionKey);
  kek.fill(0);
  // OriginatorPublicKey has the form of a SubjectPublicKeyInfo; RFC 5753 section 3.1.1 lets it name its curve.
  const originatorKey = der.implicit(1, ephemeral.publicKey.export({ format: 'der', type: 'spki' }));
  return {
    version,
    der: der.implicitConstructed(
      1,
      der.integer(version),
      der.explicit(0, originatorKey),
      der.sequence(der.oid(scheme), keyWrapAlgorithm),
      der.sequence(der.sequence(recipientIdentifier(recipient), der.octetString(encryptedKey))),
    ),
  };
}

/** KeyAgreeRecipientIdentifier: unlike in key transport, [0] is a SEQUENCE around the key identifier. */
function recipientIdentifier(recipient: Certificate): Der {
  const { subjectKeyIdentifier } = recipient;
  return subjectKeyIdentifier === null
    ? issuerAndSerialNumber(recipient)
    : der.implicitConstructed(0, der.octetString(subjectKeyIdentifier));
}

/** The key-encryption key: the KDF of SEC 1 section 3.6.1, which both hashes finish in the round of counter 1. */
function agree(privateKey: KeyObject, spki: Der, hash: string): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const shared = diffieHellman({ privateKey, publicKey });
  const derived = createHash(hash)
    .update(shared)
    .update(Uint8Array.of(0, 0, 0, 1))
    .update(sharedInfo)
    .digest();
  shared.fill(0);
  derived.fill(0, kekBytes);
  return derived.subarray(0, kekBytes);
}

function wrap(kek: Uint8Array, key: Uint8Array): Uint8Array {
  const cipher = createCipheriv('id-aes256-wrap', kek, wrapIv);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}
