import { SallyportError } from '#errors';
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { keyAlgorithms, type KeyAlgorithm } from './algorithms.ts';

const generate = promisify(generateKeyPair);

/** RFC 5758 section 3.2, RFC 4055 section 5; Ed25519 (RFC 8410) and ML-DSA (RFC 9881) sign the message itself. */
export const signatureHash = {
  'ec-p256': 'sha256',
  'ec-p384': 'sha384',
  'rsa-2048': 'sha256',
  'rsa-3072': 'sha256',
  'rsa-4096': 'sha256',
  ed25519: null,
  'ml-dsa-44': null,
  'ml-dsa-65': null,
  'ml-dsa-87': null,
} as const satisfies Record<KeyAlgorithm, string | null>;

/**
 * P-256 takes 25 microseconds and Ed25519 60: less than the way to the thread pool and back (80). The others take
 * 0.3 to 1.5 milliseconds, for which the serving thread must not stand still.
 */
export const signsSynchronously = {
  'ec-p256': true,
  'ec-p384': false,
  'rsa-2048': false,
  'rsa-3072': false,
  'rsa-4096': false,
  ed25519: true,
  'ml-dsa-44': false,
  'ml-dsa-65': false,
  'ml-dsa-87': false,
} as const satisfies Record<KeyAlgorithm, boolean>;

export async function generatePrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  switch (algorithm) {
    case 'ec-p256':
      return (await generate('ec', { namedCurve: 'prime256v1' })).privateKey;
    case 'ec-p384':
      return (await generate('ec', { namedCurve: 'secp384r1' })).privateKey;
    case 'rsa-2048':
      return (await generate('rsa', { modulusLength: 2048 })).privateKey;
    case 'rsa-3072':
      return (await generate('rsa', { modulusLength: 3072 })).privateKey;
    case 'rsa-4096':
      return (await generate('rsa', { modulusLength: 4096 })).privateKey;
    case 'ed25519':
      return (await generate('ed25519')).privateKey;
    case 'ml-dsa-44':
    case 'ml-dsa-65':
    case 'ml-dsa-87':
      return (await generate(algorithm)).privateKey;
  }
}

/** @throws SallyportError 'key' for any other key; the message names no property of it. */
export function algorithmOf(key: KeyObject): KeyAlgorithm {
  const name = nameOf(key);
  const algorithm = keyAlgorithms.find((known) => known === name);
  if (algorithm === undefined) {
    throw new SallyportError(
      'key',
      `the key is of a kind that cannot sign here; use one of ${keyAlgorithms.join(', ')}`,
    );
  }
  return algorithm;
}

function nameOf(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec':
      return { prime256v1: 'ec-p256', secp384r1: 'ec-p384' }[details?.namedCurve ?? ''];
    case 'rsa':
      return details?.publicExponent === 65537n ? `rsa-${details.modulusLength}` : undefined;
    default:
      return key.asymmetricKeyType;
  }
}
