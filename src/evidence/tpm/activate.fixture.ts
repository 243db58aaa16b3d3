import {
  constants,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import { digestOctets } from './algorithms.ts';
import type { Credential } from './credential-activation.ts';
import { kdfa, kdfe, terminated } from './kdf.ts';
import { parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import type { SoftwareKey } from './statement.fixture.ts';
import { TpmCursor } from './tpm-cursor.ts';

/** TPM2_ActivateCredential, by an endorsement key outside of any TPM. Throws where the TPM would refuse. */
export function activate(
  { privateKey }: SoftwareKey,
  publicArea: Uint8Array,
  name: Uint8Array,
  { credentialBlob, secret }: Credential,
): Uint8Array {
  const { nameAlg, symmetric, key } = parsePublic(publicArea);
  const shared = unwrap(secret);
  const seed =
    key.type === 'rsa'
      ? privateDecrypt(
          {
            key: privateKey,
            padding: constants.RSA_PKCS1_OAEP_PADDING,
            oaepHash: nameAlg,
            oaepLabel: terminated('IDENTITY'),
          },
          shared,
        )
      : sharedSeed(shared);
  const blob = new TpmCursor(unwrap(credentialBlob), 'TPMS_ID_OBJECT');
  const mac = blob.sized(64, 'integrityHMAC');
  const encrypted = unwrap(credentialBlob).subarray(2 + mac.length);
  const none = new Uint8Array();
  const macKey = kdfa(nameAlg, seed, 'INTEGRITY', none, none, digestOctets[nameAlg] * 8);
  const expected = createHmac(nameAlg, macKey).update(encrypted).update(name).digest();
  if (!timingSafeEqual(mac, expected)) throw new Error('TPM_RC_INTEGRITY');
  const { keyBits } = symmetric!;
  const cipherKey = kdfa(nameAlg, seed, 'STORAGE', name, none, keyBits);
  const decipher = createDecipheriv(`aes-${keyBits}-cfb`, cipherKey, new Uint8Array(16));
  return new Uint8Array(unwrap(Buffer.concat([decipher.update(encrypted), decipher.final()])));

  function sharedSeed(point: Uint8Array): Uint8Array {
    if (key.type !== 'ecc') throw new Error('no ECC key');
    const cursor = new TpmCursor(point, 'TPMS_ECC_POINT');
    const [x, y] = [cursor.sized(66, 'x'), cursor.sized(66, 'y')];
    cursor.finish();
    const ephemeral = Buffer.from(subjectPublicKeyInfoOf({ ...key, x, y }));
    const publicKey = createPublicKey({ key: ephemeral, format: 'der', type: 'spki' });
    const z = diffieHellman({ privateKey, publicKey });
    return kdfe(nameAlg, z, 'IDENTITY', x, key.x, digestOctets[nameAlg] * 8);
  }
}

function unwrap(bytes: Uint8Array): Uint8Array {
  const cursor = new TpmCursor(bytes, 'TPM2B');
  const content = cursor.sized(1024, 'content');
  cursor.finish();
  return content;
}
