import { SallyportError } from '#errors';
import { contextConstructed, der, derToPem, equalBytes, pemToDer, readDer } from '#x509';

/** TPM2B_PUBLIC and TPM2B_PRIVATE: nothing that the TPM which made them does not have to open. */
export interface KeyBlobs {
  readonly publicArea: Uint8Array;
  readonly privateArea: Uint8Array;
}

const label = 'TSS2 PRIVATE KEY';
/** id-loadablekey. */
const loadableKey = '2.23.133.10.1.3';
/** TPM_RH_OWNER: under the storage primary. */
const owner = 0x4000_0001;
/** emptyAuth. */
const withoutPassword = der.explicit(0, der.boolean(true));

/** TSS2 PRIVATE KEY (draft-bottomley-tpm2-keys), which OpenSSL reads with a provider, and tpm2-tools. The key has no password. */
export function encodeKeyFile({ publicArea, privateArea }: KeyBlobs): string {
  const key = der.sequence(
    der.oid(loadableKey),
    withoutPassword,
    der.integer(owner),
    der.octetString(publicArea),
    der.octetString(privateArea),
  );
  return derToPem(key, label);
}

export function isKeyFile(pem: string): boolean {
  return pem.includes(`BEGIN ${label}`);
}

/** Throws 'unsupported' where it is not as we write them. */
export function parseKeyFile(pem: string): KeyBlobs {
  const fields = readDer(pemToDer(pem, label)[0]!).sequence('TPMKey');
  const type = fields.next().oid('type');
  const emptyAuth = fields.optional(contextConstructed(0))?.der ?? null;
  const parent = fields.next().unsignedBytes('parent').toHex();
  const [publicArea, privateArea] = [
    fields.next().octetString('pubkey'),
    fields.next().octetString('privkey'),
  ];
  fields.finish();
  const hasPassword = emptyAuth === null || !equalBytes(emptyAuth, withoutPassword);
  if (type !== loadableKey || hasPassword || parent !== owner.toString(16)) {
    throw new SallyportError(
      'unsupported',
      'the key file is not of a key of ours, without a password and under the storage primary',
    );
  }
  return { publicArea, privateArea };
}
