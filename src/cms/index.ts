export { asymmetricKeyPackage } from './asymmetric-key-package.ts';
export { certsOnly, crlOnly, parseCertsOnly } from './certs-only.ts';
export { cmsOids } from './cms-oids.ts';
export type { ContentCipher } from './content-cipher.ts';
export { type Content, parseContentInfo } from './content-info.ts';
export { envelopedData, type EnvelopeForm } from './enveloped-data.ts';
export type { KeyTransport } from './key-transport.ts';
export {
  decryptEnvelopedData,
  type EnvelopedMessage,
  readEnvelopedData,
  type TransportKey,
} from './open-enveloped-data.ts';
export type { MessageDigest } from './message-digest.ts';
export { openSignedData, type SignedMessage } from './open-signed-data.ts';
export { type MessageSigner, signedData, signedMessage } from './signed-data.ts';
export { attribute, type Signer } from './signer-info.ts';
