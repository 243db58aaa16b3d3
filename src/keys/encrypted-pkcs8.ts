import { SallyportError } from '#errors';
import { type Der, der, derToPem, pemToDer, readDer } from '#x509';
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  type KeyObject,
  randomBytes,
  scrypt,
  scryptSync,
} from 'node:crypto';
import { promisify } from 'node:util';

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
  return derToPem(der.sequence(pbes2(salt, iv), der.octetString(encrypted)), label);
}

function pbes2(salt: Uint8Array, iv: Uint8Array): Der {
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
  return der.sequence(der.oid('1.2.840.113549.1.5.13'), der.sequence(keyDerivation, encryption));
}

/**
 * Reads any encrypted PKCS#8 that OpenSSL writes. A key in the clear is refused, so that none is ever kept so. Of what `encryptPkcs8` wrote the
 * costly part runs on another thread.
 */
export async function decryptPkcs8(pem: string, passphrase: string): Promise<KeyObject> {
  demandPassphrase(passphrase);
  if (!isEncryptedPkcs8(pem)) {
    throw new SallyportError(
      'key',
      `the key file is not one PEM block "${label}"; encrypt it with: openssl pkcs8 -topk8`,
    );
  }
  try {
    return (
      (await decryptOwnForm(pem, passphrase)) ?? createPrivateKey({ key: pem, format: 'pem', passphrase })
    );
  } catch {
    // No cause: OpenSSL's words tell a wrong passphrase from a damaged key, and may name what is inside.
    throw new SallyportError('key', 'the key file does not open; check its passphrase');
  }
}

export function isEncryptedPkcs8(pem: string): boolean {
  return pemForm.test(pem);
}

/** null where `encryptPkcs8` would have written it in other words. */
async function decryptOwnForm(pem: string, passphrase: string): Promise<KeyObject | null> {
  const fields = readDer(pemToDer(pem, label)[0]!).sequence('EncryptedPrivateKeyInfo');
  const algorithm = Buffer.from(fields.next().der);
  const encrypted = fields.next().octetString('encryptedData');
  // In our own form salt and IV have their places; all around them must be the same octets.
  const [saltAt, ivAt] = ownPlaces;
  const salt = algorithm.subarray(saltAt, saltAt + saltBytes);
  const iv = algorithm.subarray(ivAt, ivAt + ivBytes);
  if (!algorithm.equals(pbes2(salt, iv))) return null;
  const key = await derive(passphrase, salt, keyBytes, scryptCost);
  const decipher = createDecipheriv('aes-256-cbc', key, iv);
  key.fill(0);
  const plain = Buffer.concat([decipher.update(encrypted), decipher.final()]);
  try {
    return createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' });
  } finally {
    plain.fill(0);
  }
}

const derive = promisify<string, Uint8Array, number, typeof scryptCost, Buffer>(scrypt);

const ownPlaces = placesOf(Buffer.alloc(saltBytes, 's'), Buffer.alloc(ivBytes, 'i'));

function placesOf(salt: Buffer, iv: Buffer): [salt: number, iv: number] {
  const written = Buffer.from(pbes2(salt, iv));
  return [written.indexOf(salt), written.indexOf(iv)];
}

function demandPassphrase(passphrase: string): void {
  if (passphrase.length === 0) {
    throw new SallyportError('key', 'a key file needs a passphrase that is not empty');
  }
}
