import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, sign } from 'node:crypto';
import { type MessageDigest, type MessageSigner, signedMessage, type TransportKey } from '#cms';
import { generateSoftwareKey } from '#keys';
import {
  assembleSigned,
  buildName,
  type Certificate,
  type Der,
  encodeKeyUsage,
  encodeName,
  encodeTbsCertificate,
  extensionOids,
  type KeyUsage,
  parseCertificate,
} from '#x509';

/* An RA, and clients that sign with certificates of their own making: for tests of messages. */

const issuer = await generateSoftwareKey('ec-p256');
let certified = 0;

async function certificateFor(
  commonName: string,
  spki: Der,
  keyUsage: readonly KeyUsage[],
): Promise<Certificate> {
  certified += 1;
  const tbs = encodeTbsCertificate({
    serialNumber: (0x1000 + certified).toString(16),
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(buildName([{ type: 'commonName', value: 'Issuer' }])),
    subject: buildName([{ type: 'commonName', value: commonName }]),
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(9999, 11, 31, 23, 59, 59),
    spki,
    extensions: [{ oid: extensionOids.keyUsage, critical: true, value: encodeKeyUsage(keyUsage) }],
  });
  return parseCertificate(assembleSigned(tbs, 'ec-p256', await issuer.sign(tbs)));
}

async function signerOf(commonName: string, keyUsage: readonly KeyUsage[]) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = await certificateFor(
    commonName,
    publicKey.export({ type: 'spki', format: 'der' }),
    keyUsage,
  );
  const signer: MessageSigner = {
    certificate,
    key: { sign: async (data, hash) => sign(hash, data, privateKey) },
  };
  return { ...signer, privateKey };
}

export const raOf = () => signerOf('RA', ['digitalSignature', 'keyEncipherment']);

/** Its certificate is for signing alone, as those of most templates. */
export async function clientOf(commonName: string) {
  const signer = await signerOf(commonName, ['digitalSignature']);
  return {
    ...signer,
    sign: (
      content: { readonly type: string; readonly bytes: Der | null },
      attributes: readonly Der[],
      digest: MessageDigest = 'sha256',
    ) =>
      signedMessage(content, signer, {
        digest,
        attributes,
        certificates: [signer.certificate.der],
        signingTime: Date.UTC(2026, 10, 26),
      }),
  };
}

/** In this thread, which may wait. */
export function testKey(key: KeyObject): TransportKey {
  return {
    decrypt: async (encrypted, transport) =>
      transport === 'pkcs1'
        ? privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encrypted)
        : privateDecrypt({ key, oaepHash: transport.slice(5) }, encrypted),
  };
}
