import { SallyportError } from '#errors';
import { type Certificate, type Der, der, oids, readDer, tags } from '#x509';
import { createCipheriv } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { type Content, encodeContentInfo, messageLimits } from './content-info.ts';
import { type ContentCipher, ciphers } from './content-cipher.ts';
import type { KeyTransport } from './key-transport.ts';
import { type RecipientInfo, recipientInfo } from './recipient-info.ts';

/** How a message is encrypted. */
export interface EnvelopeForm {
  readonly cipher: ContentCipher;
  /** To an RSA key. */
  readonly transport: KeyTransport;
  /**
   * As SCEP's clients read it, many of which know PKCS #7 and no CMS: for an RSA key, named by issuer and serial number, and whatever its keyUsage
   * says, since the answer is for the key that signed (RFC 8894 section 3.1).
   */
  readonly asPkcs7: boolean;
}

const strongForm: EnvelopeForm = { cipher: 'aes-256-cbc', transport: 'oaep-sha256', asPkcs7: false };

/**
 * ContentInfo with an EnvelopedData around the content, for one recipient (RFC 5652 section 6): AES-256-CBC (RFC 3565), where nothing else is asked for.
 * `random` gives that many new octets, which are ours: the key among them is wiped here. Nothing protects the ciphertext
 * from changes: what must be authentic is a SignedData inside.
 * @throws SallyportError 'unsupported' where nothing can be encrypted for the recipient's certificate
 * @throws SallyportError 'malformed' where the content of type id-signedData still has its ContentInfo
 */
export function envelopedData(
  content: Content,
  recipient: Certificate,
  random: (octets: number) => Uint8Array,
  form: EnvelopeForm = strongForm,
): Der {
  requireValue(content);
  const { key: keyBytes, iv: ivBytes } = ciphers[form.cipher];
  const key = random(keyBytes);
  try {
    const info = recipientInfo(recipient, key, form);
    const bytes = der.sequence(
      der.integer(versionFor(info)),
      der.set(info.der),
      encryptedContentInfo(content, form.cipher, key, random(ivBytes)),
    );
    return encodeContentInfo({ type: cmsOids.envelopedData, bytes });
  } finally {
    key.fill(0);
  }
}

/** RFC 5652 section 6.1, with neither originatorInfo nor unprotectedAttrs. */
function versionFor({ version }: RecipientInfo): number {
  return version === 0 ? 0 : 2;
}

/** RFC 5652 sections 6.1 and 6.3; OpenSSL pads as section 6.3 asks, by one to sixteen octets. */
function encryptedContentInfo(
  { type, bytes }: Content,
  cipher: ContentCipher,
  key: Uint8Array,
  iv: Uint8Array,
): Der {
  const encryption = createCipheriv(cipher, key, iv);
  const encrypted = Buffer.concat([encryption.update(bytes), encryption.final()]);
  return der.sequence(
    der.oid(type),
    der.sequence(der.oid(ciphers[cipher].oid), der.octetString(iv)),
    der.implicit(0, der.octetString(encrypted)),
  );
}

/**
 * A SignedData begins with its version, a ContentInfo with an OID. The second in place of the first decrypts well
 * everywhere and is then read by nobody: OpenSSL's CMP client, for one, reads a SignedData.
 */
function requireValue({ type, bytes }: Content): void {
  if (type !== oids.signedData) return;
  const first = readDer(bytes, messageLimits).sequence('SignedData').next();
  if (first.tag !== tags.integer) {
    throw new SallyportError('malformed', 'SignedData: take it out of its ContentInfo with parseContentInfo');
  }
}
