import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { ClientKey } from '../test/harness/csr.ts';

const generate = promisify(generateKeyPair);

/** By the thread pool: one after the other they would take minutes. */
export async function rsaKey(): Promise<ClientKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
  return {
    algorithm: 'rsa-2048',
    privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  };
}
