import { SallyportError } from '#errors';
import { der, derToPem } from '#x509';
import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scryptSync } from 'node:crypto';

/**
 * RFC 7914 section 2. N and r fill the 32 MiB that OpenSSL grants scrypt when it reads such a file. One guess costs
 * about 35 milliseconds and 16 MiB; the passphrase that `init` makes has 256 bits, and needs none of it.
 */
const scryptCost = { N: 16384, r: 8, p: 1 } as const;
const saltBytes = 16;
const keyBytes = 32;
const ivBytes = 16;
const label = 'ENCRYPTED PRIVATE KEY';
const pemForm = new RegExp(`^\\s*-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----\\s*$`, 'u');

/** RFC 5958 section 3 with PBES2 (RFC 8018 section 6.2): scrypt (RFC 7914 section 7) and AES-256-CBC. */
export function encryptPkcs8(plain: Uint8Array, passphrase: string): string {
  demandPassphrase(passphrase);
  const salt = randomBytes(saltBytes);
  const iv = randomBytes(ivBytes);
  const key = scryptSync(passphrase, salt, keyBytes, scryptCost);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  key.fill(0);
  const keyDerivation = der.sequence(
    der.oid('1.3.6.1.4.1.11591.4.11'),
    der.sequence(
      der.octetString(salt),
      der.integer(BigInt(scryptCost.N)),
      der.integer(BigInt(scryptCost.r)),
      der.integer(BigInt(scryptCost.p)),
      der.integer(BigInt(keyBytes)),
    ),
  );
  const encryption = der.sequence(der.oid('2.16.840.1.101.3.4.1.42'), der.octetString(iv));
  const pbes2 = der.sequence(der.oid('1.2.840.113549.1.5.13'), der.sequence(keyDerivation, encryption));
  return derToPem(der.sequence(pbes2, der.octetString(encrypted)), label);
}

/** Reads any encrypted PKCS#8 that OpenSSL writes. A key in the clear is refused, so that none is ever kept so. */
export function decryptPkcs8(pem: string, passphrase: string): KeyObject {
  demandPassphrase(passphrase);
  if (!pemForm.test(pem)) {
    throw new SallyportError(
      'key',
      `the key file is not one PEM block "${label}"; encrypt it with: openssl pkcs8 -topk8`,
    );
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch {
    // No cause: OpenSSL's words tell a wrong passphrase from a damaged key, and may name what is inside.
    throw new SallyportError('key', 'the key file does not open; check its passphrase');
  }
}

function demandPassphrase(passphrase: string): void {
  if (passphrase.length === 0) {
    throw new SallyportError('key', 'a key file needs a passphrase that is not empty');
  }
}
