import { constants, type KeyObject, privateDecrypt } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Decrypted, ToDecrypt } from './message-key.ts';

/* The thread of a MessageKey. */

const key = workerData as KeyObject;
const paddings: Readonly<Record<ToDecrypt['transport'], { padding: number; oaepHash?: string }>> = {
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
  'oaep-sha1': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'oaep-sha256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
};

// null where the module is loaded but not as a thread.
parentPort?.on('message', ({ id, encrypted, transport }: ToDecrypt) => {
  parentPort!.postMessage({ id, plain: decrypt(encrypted, transport) } satisfies Decrypted);
});

/** Nothing where OpenSSL refuses: OAEP has no implicit rejection, and needs none against who cannot tell nothing from wrong octets. */
function decrypt(encrypted: Uint8Array, transport: ToDecrypt['transport']): Uint8Array {
  try {
    return new Uint8Array(privateDecrypt({ key, ...paddings[transport] }, encrypted));
  } catch {
    return new Uint8Array();
  }
}
