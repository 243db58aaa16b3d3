import { randomFillSync } from 'node:crypto';

const poolBytes = 4096;
/** Larger ones are drawn for themselves. */
const largestFromPool = 64;

/**
 * n bytes of OpenSSL's generator, drawn in advance: a call of it for each nonce, salt and id costs more than the bytes. What was given out is nowhere else: each
 * byte leaves once, and is overwritten where it stood.
 */
export function pooledRandom(fill: (bytes: Uint8Array) => Uint8Array = randomFillSync) {
  const pool = new Uint8Array(poolBytes);
  let at = poolBytes;
  return (n: number): Uint8Array => {
    if (n > largestFromPool) return fill(new Uint8Array(n));
    if (at + n > poolBytes) {
      fill(pool);
      at = 0;
    }
    const bytes = pool.slice(at, at + n);
    pool.fill(0, at, at + n);
    at += n;
    return bytes;
  };
}
