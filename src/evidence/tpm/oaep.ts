import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { SallyportError } from '#errors';
import { type TpmHash, digest, digestOctets } from './algorithms.ts';
import { type RsaKey, subjectPublicKeyInfoOf } from './public-area.ts';

/** RSAES-OAEP (RFC 8017 section 7.1.1) with one hash for both purposes. `seed`: as many random octets as the hash has. */
export function encryptOaep(
  key: RsaKey,
  hash: TpmHash,
  label: Uint8Array,
  message: Uint8Array,
  seed: Uint8Array,
): Uint8Array {
  const octets = digestOctets[hash];
  const dataLength = key.modulus.length - octets - 1;
  if (message.length > dataLength - octets - 1 || seed.length !== octets) {
    throw new SallyportError('internal', `OAEP: ${message.length} octets with a seed of ${seed.length}`);
  }
  const data = new Uint8Array(dataLength);
  data.set(digest(hash, label));
  data[dataLength - message.length - 1] = 1;
  data.set(message, dataLength - message.length);
  const maskedData = xor(data, mgf1(hash, seed, dataLength));
  const maskedSeed = xor(seed, mgf1(hash, maskedData, octets));
  const spki = Buffer.from(subjectPublicKeyInfoOf(key));
  return new Uint8Array(
    publicEncrypt(
      {
        key: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
        padding: constants.RSA_NO_PADDING,
      },
      Buffer.concat([Buffer.of(0), maskedSeed, maskedData]),
    ),
  );
}

/** RFC 8017 appendix B.2.1. */
function mgf1(hash: TpmHash, seed: Uint8Array, octets: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let counter = 0; counter * digestOctets[hash] < octets; counter += 1) {
    blocks.push(digest(hash, seed, Uint8Array.of(0, 0, 0, counter)));
  }
  return new Uint8Array(Buffer.concat(blocks, octets));
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, i) => octet ^ (b[i] ?? 0));
}
