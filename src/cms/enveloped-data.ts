import { SallyportError } from '#errors';
import { type Certificate, type Der, der, oids, readDer, tags } from '#x509';
import { createCipheriv } from 'node:crypto';
import { cmsOids } from './cms-oids.ts';
import { type Content, encodeContentInfo, messageLimits } from './content-info.ts';
import { type RecipientInfo, recipientInfo } from './recipient-info.ts';

const keyBytes = 32;
const ivBytes = 16;

/**
 * ContentInfo with an EnvelopedData around the content: AES-256-CBC (RFC 3565), for one recipient (RFC 5652 section 6).
 * `random` gives that many new octets, which are ours: the key among them is wiped here. Nothing protects the ciphertext
 * from changes: what must be authentic is a SignedData inside.
 * @throws SallyportError 'unsupported' where nothing can be encrypted for the recipient's certificate
 * @throws SallyportError 'malformed' where the content of type id-signedData still has its ContentInfo
 */
export function envelopedData(
  content: Content,
  recipient: Certificate,
  random: (octets: number) => Uint8Array,
): Der {
  requireValue(content);
  const key = random(keyBytes);
  try {
    const info = recipientInfo(recipient, key);
    const bytes = der.sequence(
      der.integer(versionFor(info)),
      der.set(info.der),
      encryptedContentInfo(content, key, random(ivBytes)),
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
function encryptedContentInfo({ type, bytes }: Content, key: Uint8Array, iv: Uint8Array): Der {
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return der.sequence(
    der.oid(type),
    der.sequence(der.oid(cmsOids.aes256Cbc), der.octetString(iv)),
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
