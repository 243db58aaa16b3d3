export { asymmetricKeyPackage } from './asymmetric-key-package.ts';
export { certsOnly, parseCertsOnly } from './certs-only.ts';
export { cmsOids } from './cms-oids.ts';
export { type Content, parseContentInfo } from './content-info.ts';
export { envelopedData } from './enveloped-data.ts';
export { signedData } from './signed-data.ts';
export type { Signer } from './signer-info.ts';
